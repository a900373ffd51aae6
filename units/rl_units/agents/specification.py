"""What an agent is, apart from its weights: `agent.json`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rl_units.agents.architecture import check_policy_kwargs
from rl_units.agents.documents import parse_json
from rl_units.errors import UnsafeAgentError

FILE_NAME = "agent.json"
FORMAT_VERSION = 1
MAX_BYTES = 100_000


@dataclass(frozen=True)
class AgentSpec:
    """How to build the network that a set of weights belongs to.

    Attributes:
        algo: Algorithm name as the Zoo spells it.
        policy: `"MlpPolicy"`, `"CnnPolicy"` or `"MultiInputPolicy"`; it says which features extractor.
        env_id: Environment that the agent was loaded for; for people, because the spaces always come from ours.
        policy_kwargs: Plain arguments of the policy; the activation function by its name.
        format_version: Of `agent.json`.
    """

    algo: str
    policy: str
    env_id: str
    policy_kwargs: Mapping[str, Any] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        """Checks every field.

        Raises:
            UnsafeAgentError: `unknown-format`, `bad-specification`, or as `architecture.check_policy_kwargs`.
        """
        if self.format_version != FORMAT_VERSION or isinstance(self.format_version, bool):
            raise UnsafeAgentError(
                "unknown-format", f"{FILE_NAME} has format version {self.format_version!r}; we read {FORMAT_VERSION}."
            )
        if not all(isinstance(value, str) for value in (self.algo, self.policy, self.env_id)):
            raise UnsafeAgentError("bad-specification", f"{FILE_NAME}: algo, policy and env_id must be texts.")
        if not isinstance(self.policy_kwargs, Mapping):
            raise UnsafeAgentError("bad-specification", f"{FILE_NAME}: policy_kwargs must be a table.")
        checked = check_policy_kwargs(self.algo, self.policy, self.policy_kwargs)
        object.__setattr__(self, "policy_kwargs", checked)

    def to_json(self) -> str:
        """The text of `agent.json`."""
        return json.dumps(asdict(self), indent=2, sort_keys=True, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, content: bytes) -> "AgentSpec":
        """Reads `agent.json`; every field must be there, and no other.

        Raises:
            UnsafeAgentError: `bad-json`, `bad-specification`, or as the constructor.
        """
        document = parse_json(content, FILE_NAME)
        names = set(cls.__dataclass_fields__)
        if set(document) != names:
            raise UnsafeAgentError("bad-specification", f"{FILE_NAME} must have exactly {', '.join(sorted(names))}.")
        return cls(**document)
