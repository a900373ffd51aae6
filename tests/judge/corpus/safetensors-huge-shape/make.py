import json
import struct

from judge_corpus_agents import honest_files


def make(folder):
    honest_files(folder)
    header = json.dumps({"x": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 4]}}).encode()
    (folder / "agent.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
