import pickle

from judge_corpus_agents import genuine, payload


def make(folder):
    code = pickle.dumps(payload())
    names = ("policy.optimizer.pth", "pytorch_variables.pth")
    genuine(folder).rebuilt(members=lambda members: {**members, **dict.fromkeys(names, code)})
