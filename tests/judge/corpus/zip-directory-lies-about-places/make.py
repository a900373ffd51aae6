import struct

from judge_corpus_agents import genuine
from units.agents import hostile


def make(folder):
    def change(content):
        entry = content.index(b"PK\x01\x02")
        while content[entry + 46 : entry + 56] != b"policy.pth":
            entry = content.index(b"PK\x01\x02", entry + 4)
        return content[: entry + 42] + struct.pack("<I", 0) + content[entry + 46 :]

    hostile.patched(genuine(folder), change)
