"""What an agent's page says of a submission, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from rl_leaderboard.submissions.evaluations import Evaluation
from rl_leaderboard.submissions.submissions import Submission
from rl_leaderboard.web.pages.numbers import score


def tell_state(submission: Submission, n_episodes: int, progress: str = "") -> str:
    """How far a submission is, as a sentence.

    Args:
        submission: What was handed in.
        n_episodes: Games that the judge plays.
        progress: How far a judge is that plays it now, a sentence.
    """
    if submission.state == "failed":
        return (
            f"There is no verified score: {submission.reason}" if submission.reason else "There is no verified score."
        )
    if submission.state == "scored":
        return "This score is verified: it was measured here, in games that its author has not seen."
    if submission.state in ("queued", "running") and not submission.counts:
        return "This agent is off the board: a verified score would change nothing there."
    if submission.verified_score is not None:
        standing = "The verified score stands until there is a new one."
    elif submission.claimed_score is not None:
        standing = "Until then the score is what its author claims."
    else:
        standing = "Until then there is no score."
    if submission.state == "queued":
        return f"This agent waits for the judge, who plays {n_episodes} full games with it. {standing}"
    if submission.state == "running":
        return " ".join(f"The judge plays {n_episodes} full games with this agent now. {progress} {standing}".split())
    if submission.claimed_score is None:
        return f"This agent has no score yet. {submission.claim_problem}".rstrip()
    return "This score is what its author claims; it has not been verified."


def end_sentence(text: str) -> str:
    """What somebody wrote, with a full stop if there is no end to it."""
    text = text.strip()
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def compare(submission: Submission, evaluation: Evaluation | None) -> str:
    """The claim beside the measurement, as a sentence; empty without both."""
    claimed = submission.claimed_score
    if claimed is None or evaluation is None:
        return ""
    difference = evaluation.score - claimed
    if round(difference, 2) == 0:
        told = "The verified score is what was claimed"
    else:
        side = "above" if difference > 0 else "below"
        told = f"The verified score is {score(abs(difference))} {side} the claim"
    if evaluation.low <= claimed <= evaluation.high:
        return f"{told}; the claim is within the interval of the measurement, so the two agree."
    side = "above" if claimed > evaluation.high else "below"
    return f"{told}; the claim is {side} the interval of the measurement."


def tell_certificate(evaluation: Evaluation | None) -> str:
    """Which of two scores a certificate counts, as a sentence; empty if there is only one."""
    if evaluation is None or evaluation.confirmation is None:
        return ""
    here, there = score(evaluation.score), score(evaluation.confirmation)
    lower = here if evaluation.score <= evaluation.confirmation else there
    return (
        f"A certificate counts {lower}, the lower of two scores: {here} in the games of the board, and {there} in the "
        "games of the confirmation, which are others and are played once."
    )


@dataclass(frozen=True)
class Figure:
    """A number as claimed and as verified, ready to be read; a dash where there is none."""

    name: str
    claimed: str
    verified: str


def list_figures(submission: Submission, evaluation: Evaluation | None) -> Sequence[Figure]:
    """What was claimed beside what was measured, without what is neither."""
    measured = (None, None, None) if evaluation is None else (evaluation.score, evaluation.mean, evaluation.std)
    claims = submission.claimed_score, submission.claimed_mean, submission.claimed_std
    names = "Score", "Mean return", "Standard deviation"
    figures = [
        Figure(name, score(claim), score(found)) for name, claim, found in zip(names, claims, measured, strict=True)
    ]
    interval = f"{score(evaluation.low)} to {score(evaluation.high)}" if evaluation else score(None)
    games = _count(submission.claimed_episodes), _count(evaluation.n_episodes if evaluation else None)
    confirmed = score(evaluation.confirmation if evaluation else None)
    figures += [
        Figure("Interval of the score", score(None), interval),
        Figure("Games", *games),
        Figure("Score in the confirmation", score(None), confirmed),
    ]
    return [figure for figure in figures if (figure.claimed, figure.verified) != (score(None), score(None))]


def _count(number: int | None) -> str:
    return score(None) if number is None else f"{number:,}"
