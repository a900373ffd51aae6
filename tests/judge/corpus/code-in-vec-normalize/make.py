import pickle

from judge_corpus_agents import normalized, payload


def make(folder):
    normalized(folder, pickle.dumps(payload()))
