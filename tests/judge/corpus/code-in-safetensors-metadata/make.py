import base64
import pickle

import safetensors.torch

from judge_corpus_agents import honest_files, payload


def make(folder):
    honest_files(folder)
    state = safetensors.torch.load_file(folder / "agent.safetensors")
    metadata = {"format": "pt", "__reduce__": base64.b64encode(pickle.dumps(payload())).decode()}
    (folder / "agent.safetensors").write_bytes(safetensors.torch.save(state, metadata))
