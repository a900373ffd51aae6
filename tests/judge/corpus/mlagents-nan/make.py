from judge_corpus_agents import mlagents
from mlagents_files import nan_scores


def make(folder):
    mlagents(folder, nan_scores)
