"""Claims: the score that a model card states, which its author measured and nobody has checked."""

import math
import re
from dataclasses import dataclass

from rl_hub.names import shown

LIMIT = 1e12
"""The largest mean, standard deviation or score, either sign: no environment of a course comes near it."""

LONGEST_ENV_ID = 128
"""Characters of an environment's id."""

_MOST_EPISODES = 1_000_000_000
_LONGEST_VALUE = 100  # characters; "-123456.78 +/- 123456.78" has 24

_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_NOT_FINITE = r"[-+]?\.?(?:nan|inf|infinity)"
_VALUE = re.compile(rf"({_NUMBER}|{_NOT_FINITE})\s*(?:(?:±|\+\s*/?\s*-)\s*({_NUMBER}|{_NOT_FINITE}))?", re.IGNORECASE)
_MINUS = "\N{MINUS SIGN}"  # typeset pages have it, and people copy from them

_EXAMPLE = "258.23 +/- 18.19"
_AGAIN = "Evaluate the agent again, then push it again."


@dataclass(frozen=True)
class Claim:
    """What a card says about one environment.

    Attributes:
        env_id: The environment as the card writes it: printable, at most `LONGEST_ENV_ID` characters.
        mean: Mean return; None if the card names the environment but no score that can be read.
        std: Standard deviation of the returns, at least 0; None without a mean, and 0 if the card gives one number.
        n_episodes: How many episodes they are of, if the card says so.
        problem: Why there is no score, as a sentence for the student; empty if there is one.
    """

    env_id: str
    mean: float | None
    std: float | None
    n_episodes: int | None
    problem: str

    def __post_init__(self) -> None:
        """Refuses what no claim can say, whoever makes it.

        Raises:
            ValueError: If a field is out of its range, or only one of mean and standard deviation is there.
        """
        if not (0 < len(self.env_id) <= LONGEST_ENV_ID and self.env_id.isprintable()):
            raise ValueError(f"{shown(self.env_id)} cannot be the id of an environment.")
        if (self.mean is None) is not (self.std is None):
            raise ValueError("A claim has a mean and a standard deviation, or neither.")
        if self.mean is not None and self.std is not None and not _is_in_range(self.mean, self.std):
            raise ValueError("A claim's mean, standard deviation or score is out of range.")
        if self.n_episodes is not None and not 1 <= self.n_episodes <= _MOST_EPISODES:
            raise ValueError("A claim's number of episodes is out of range.")

    @property
    def score(self) -> float | None:
        """What a board ranks by: the mean minus one standard deviation."""
        if self.mean is None or self.std is None:
            return None
        return self.mean - self.std


def read_claim(env_id: str, value: object, n_episodes: object = None) -> Claim:
    """The claim that a card's value makes; one without a score, but with the reason, if it cannot be read.

    Args:
        env_id: The environment, see `Claim`.
        value: The value of a metric `mean_reward`: any JSON value. "258.23 +/- 18.19", also with ±, or one number.
        n_episodes: The number of episodes beside it: any JSON value; what is no sensible number says nothing.
    """
    try:
        mean, std = _read_value(value)
    except _NoScore as problem:
        return without_score(env_id, f"The score for {env_id} in the model card {problem}")
    return Claim(env_id, mean, std, _read_episodes(n_episodes), "")


def without_score(env_id: str, problem: str) -> Claim:
    """The claim of a card that names an environment and no score.

    Args:
        env_id: The environment, see `Claim`.
        problem: Why, as a sentence for the student.
    """
    return Claim(env_id, None, None, None, problem)


def _is_in_range(mean: float, std: float) -> bool:
    return abs(mean) <= LIMIT and 0 <= std <= LIMIT and abs(mean - std) <= LIMIT


class _NoScore(ValueError):
    """Why a value is no score, as the rest of a sentence that begins with the score."""


def _read_value(value: object) -> tuple[float, float]:
    """The mean and the standard deviation."""
    if isinstance(value, str):
        mean, std = _read_text(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        mean, std = value, 0.0
    elif value is None:
        raise _NoScore(f"is empty. Write it as mean and standard deviation: {_EXAMPLE}.")
    else:
        raise _NoScore(f"is neither a number nor a text. Write it as mean and standard deviation: {_EXAMPLE}.")
    # Compared before anything converts it: JSON has integers that no float can hold.
    if abs(mean) > LIMIT or abs(std) > LIMIT or abs(mean - std) > LIMIT:
        raise _NoScore(f"is larger than any environment gives. {_AGAIN}")
    if math.isnan(mean) or math.isnan(std):
        raise _NoScore(f"is not a number (nan). {_AGAIN}")
    if std < 0:
        raise _NoScore(f"has a negative standard deviation, which cannot be. {_AGAIN}")
    return float(mean), float(std)


def _read_text(text: str) -> tuple[float, float]:
    if len(text) > _LONGEST_VALUE:
        raise _NoScore(f"has {len(text)} characters. Write it as mean and standard deviation: {_EXAMPLE}.")
    plain = text.replace(_MINUS, "-").strip()
    match = _VALUE.fullmatch(plain)
    if match is not None:
        return _number(match[1]), _number(match[2] or "0")
    if _VALUE.fullmatch(plain.replace(",", "")):
        raise _NoScore(
            f"has a comma: {shown(text)}. Write numbers without commas between thousands, and with a point before the "
            f"decimals: {_EXAMPLE}."
        )
    raise _NoScore(f"cannot be read: {shown(text)}. Write it as mean and standard deviation: {_EXAMPLE}.")


def _number(text: str) -> float:
    return float(text.replace(".", "") if text[-1].isalpha() else text)  # YAML's .nan and .inf


def _read_episodes(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST_EPISODES:
        return value
    return None
