import zipfile

from judge_corpus_agents import genuine
from units.agents.hostile import inner_zip, policy_member


def make(folder):
    genuine(folder).rebuilt(members=policy_member(lambda content: inner_zip(content, zipfile.ZIP_DEFLATED)))
