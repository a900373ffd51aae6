import io

from judge_corpus_agents import genuine
from units.agents.hostile import members_of, policy_member, with_index


def make(folder):
    def claimed(content):
        index = next(part for name, part in members_of(io.BytesIO(content)).items() if name.endswith("data.pkl"))
        small, huge = b"K\x20", b"\x8a\x05\x00\x00\x00\x00\x19"
        assert small in index
        return with_index(content, index.replace(small, huge))

    genuine(folder).rebuilt(members=policy_member(claimed))
