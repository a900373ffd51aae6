"""Why a submission gets no score."""


class JudgeError(Exception):
    """A submission that cannot be measured.

    Attributes:
        reason: A code for programs and the log.
        sentence: For the student: what happened, and what to do.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(f"{reason}: {sentence}")
        self.reason = reason
        self.sentence = sentence


class Refused(JudgeError):
    """It is the submission's own fault: measuring it again would end the same way."""


class NotNow(JudgeError):
    """Something else is in the way, which may have gone in a while."""
