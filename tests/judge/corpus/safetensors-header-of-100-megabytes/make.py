import struct

from judge_corpus_agents import honest_files


def make(folder):
    honest_files(folder)
    (folder / "agent.safetensors").write_bytes(struct.pack("<Q", 100_000_000) + b"{}")
