from judge_corpus_agents import mlagents
from mlagents_files import random_scores


def make(folder):
    mlagents(folder, random_scores)
