import zipfile

from judge_corpus_agents import genuine
from units.agents.hostile import data_member


def make(folder):
    genuine(folder).rebuilt(members=data_member(b" " * 40_000_000), compression=zipfile.ZIP_DEFLATED)
