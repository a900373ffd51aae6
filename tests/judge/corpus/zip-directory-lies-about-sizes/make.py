import struct

from judge_corpus_agents import genuine
from units.agents import hostile


def make(folder):
    def change(content):
        entry = content.index(b"PK\x01\x02", content.rindex(b"PK\x03\x04"))
        while content[entry + 46 : entry + 56] != b"policy.pth":
            entry = content.index(b"PK\x01\x02", entry + 4)
        return content[: entry + 20] + struct.pack("<II", 1, 1) + content[entry + 28 :]

    hostile.patched(genuine(folder), change)
