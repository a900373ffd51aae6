import struct

from judge_corpus_agents import honest_files


def make(folder):
    honest_files(folder)
    header = b'{"__metadata__":{' + b",".join(b'"k%d":"%s"' % (n, b"x" * 90) for n in range(300_000)) + b"}}"
    (folder / "agent.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
