from judge_corpus_agents import mlagents
from mlagents_files import with_operator


def make(folder):
    mlagents(folder, with_operator("Loop"))
