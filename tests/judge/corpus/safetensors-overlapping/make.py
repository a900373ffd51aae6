import json
import struct

from judge_corpus_agents import honest_files


def make(folder):
    honest_files(folder)
    entry = {"dtype": "F32", "shape": [250_000], "data_offsets": [0, 1_000_000]}
    header = json.dumps({f"x{number}": entry for number in range(900)}).encode()
    (folder / "agent.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(1_000_000))
