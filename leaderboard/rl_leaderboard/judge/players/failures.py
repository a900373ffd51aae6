"""How an agent fails, in a word for programs and a sentence for the student."""

import signal
from typing import Literal

from rl_units.errors import remedy_of

Reason = Literal["refused", "crashed", "too-slow", "out-of-memory", "bad-answer", "non-finite"]
"""`refused`: its files are not loaded. The others happen while it is loaded or plays."""

_CUT = "…."  # the end of a text that was too long, as a sentence has it
_TRY_AT_HOME = "Play it with `python -m rl_units evaluate` on your own machine, mend it and push again."


class AgentFailed(Exception):
    """A submission that cannot be scored, and why; it is the agent's failure, so that trying again changes nothing.

    Args:
        reason: For programs.
        sentence: For the student: what happened, what to do.
        refusal: For `refused`: which rule, the `reason` of `rl_units.errors.UnsafeAgentError`.
    """

    def __init__(self, reason: Reason, sentence: str, refusal: str = "") -> None:
        sentence = _with_remedy(sentence, refusal)
        super().__init__(sentence)
        self.reason: Reason = reason
        self.sentence = sentence
        self.refusal = refusal

    def __reduce__(self) -> tuple[type["AgentFailed"], tuple[Reason, str, str]]:
        return type(self), (self.reason, self.sentence, self.refusal)


def _with_remedy(sentence: str, refusal: str) -> str:
    """A sentence that was cut, with what to do about the refusal at its end all the same."""
    remedy = remedy_of(refusal)
    if not remedy or not sentence.endswith(_CUT):
        return sentence
    told = sentence.removesuffix(_CUT)
    begun = next((end for end in range(len(remedy), 0, -1) if told.endswith(f". {remedy[:end]}")), 0)
    return f"{told[:-begun].rstrip()} {remedy}" if begun else f"{sentence} {remedy}"


class PlayersUnavailable(Exception):
    """No sandboxed process could be had. It is not the agent's failure: the submission is to be tried again later."""


def too_slow(doing: str, seconds: float) -> AgentFailed:
    """The agent has used up its time."""
    return AgentFailed(
        "too-slow", f"The agent took longer than {seconds:g} s to {doing}. Use a smaller network and push again."
    )


def out_of_memory() -> AgentFailed:
    """The agent needs more memory than the sandbox has."""
    return AgentFailed(
        "out-of-memory",
        "The agent needed more memory than the judge gives an agent. Use a smaller network, push again.",
    )


def bad_answer(what: str) -> AgentFailed:
    """The agent's process sent something else than what it was asked for.

    Args:
        what: Goes on after "The agent".
    """
    return AgentFailed("bad-answer", f"The agent {what}, so it cannot be scored. {_TRY_AT_HOME}")


def non_finite(what: str) -> AgentFailed:
    """A number is NaN or infinite.

    Args:
        what: Goes on after "The agent".
    """
    return AgentFailed(
        "non-finite",
        f"The agent {what} a number that is not finite, so it cannot be scored. "
        "Its training has probably diverged: train it again with a smaller learning rate and push that.",
    )


def overran(what: str) -> AgentFailed:
    """The sandbox has ended the process.

    Args:
        what: What it used too much of, see `sandbox.processes.SandboxProcess.overrun`.
    """
    if what == "memory":
        return out_of_memory()
    return AgentFailed("crashed", f"The agent used more {what} than the judge gives an agent. {_TRY_AT_HOME}")


def ended(number: int, code: int) -> AgentFailed:
    """The agent's process has ended by itself.

    Args:
        number: Signal that ended it; 0 if none did.
        code: Its exit code.
    """
    if number == signal.SIGKILL:
        return out_of_memory()  # the kernel's answer where no smaller limit was met before
    if number == signal.SIGXCPU:
        return AgentFailed(
            "too-slow", "The agent used up the processor time that it has. Use a smaller network and push again."
        )
    how = f"was ended by {_name(number)}" if number else f"ended with exit code {code}"
    return AgentFailed("crashed", f"The agent's process {how} before it had answered. {_TRY_AT_HOME}")


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
