from judge_corpus_agents import mlagents
from mlagents_files import declared


def make(folder):
    mlagents(folder, declared("discrete_action_output_shape", [1e9]))
