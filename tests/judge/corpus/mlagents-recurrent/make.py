from judge_corpus_agents import mlagents


def make(folder):
    mlagents(folder, model="recurrent")
