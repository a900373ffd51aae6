import struct

from judge_corpus_agents import honest_files


def make(folder):
    honest_files(folder)
    content = (folder / "agent.safetensors").read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    header = content[8 : 8 + size].rstrip()
    again = b'{"action_net.bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},' + header[1:]
    (folder / "agent.safetensors").write_bytes(struct.pack("<Q", len(again)) + again + content[8 + size :])
