import pickle

from judge_corpus_agents import payload, statistics


def make(folder):
    statistics(folder)
    (folder / "vec_normalize.pkl").write_bytes(pickle.dumps(payload()))
