"""Names of algorithms, however a card, a tag or a repository spells them."""

import re

_NAMES = (
    "A2C",
    "A3C",
    "APPO",
    "ARS",
    "C51",
    "CrossQ",
    "DDPG",
    "DDQN",
    "DQN",
    "IMPALA",
    "MA-POCA",
    "MaskablePPO",
    "PPO",
    "Q-Learning",
    "QRDQN",
    "Rainbow",
    "RecurrentPPO",
    "REINFORCE",
    "SAC",
    "SARSA",
    "TD3",
    "TQC",
    "TRPO",
)
_NOT_A_LETTER_OR_DIGIT = re.compile(r"[^a-z0-9]+")
_SPELLINGS = {_NOT_A_LETTER_OR_DIGIT.sub("", name.lower()): name for name in _NAMES} | {
    "deepqlearning": "DQN",
    "deepqnetwork": "DQN",
    "doubledqn": "DDQN",
    "maskppo": "MaskablePPO",
    "poca": "MA-POCA",
    "ppolstm": "RecurrentPPO",
}
_FIRST_WORDS = {"q": "Q-Learning"}  # of a repository, such as q-Taxi-v3

_LONGEST = 256  # characters
_MOST_WORDS = 32
_LONGEST_SPELLING = 3  # words, as in deep-q-learning


def algorithm_called(name: str) -> str:
    """The algorithm of exactly this name, such as "DQN" for dqn, or "Q-Learning" for q-learning; empty if none is."""
    return _SPELLINGS.get("".join(_words(name)), "")


def algorithm_in(name: str) -> str:
    """The algorithm that the name of a model or a repository tells, such as "PPO" for alice/ppo-LunarLander-v2.

    Args:
        name: The name, with or without its owner.

    Returns:
        The algorithm as boards show it; empty if the name tells none.
    """
    words = _words(name.rpartition("/")[2])
    for start in range(len(words)):
        for length in range(_LONGEST_SPELLING, 0, -1):
            found = _SPELLINGS.get("".join(words[start : start + length]))
            if found:
                return found
    return _FIRST_WORDS.get(words[0], "") if words else ""


def _words(name: str) -> list[str]:
    if len(name) > _LONGEST:
        return []
    return [word for word in _NOT_A_LETTER_OR_DIGIT.split(name.lower()) if word][:_MOST_WORDS]
