from judge_corpus_agents import mlagents
from mlagents_files import external


def make(folder):
    mlagents(folder, name="Left.onnx")
    mlagents(folder, external, name="Right.onnx")
