"""Every error that a student, a teacher or another program is expected to meet.

Each message is a sentence or two that says what happened and what to do. The command line prints it and exits with
`UserError.exit_code`; nobody sees a traceback for a mistake they can mend.
"""


class UserError(Exception):
    """Something that the person at the keyboard can mend."""

    exit_code = 2


class ManifestError(UserError):
    """A `unit.toml` is missing, malformed, or names something that does not exist."""


class UnknownEnvironmentError(UserError):
    """An environment id that is not registered."""


class UnknownAlgorithmError(UserError):
    """An algorithm name that the Zoo or the safe loader does not know."""


class ConfigError(UserError):
    """A hyperparameter or run configuration that cannot be read safely or makes no sense."""


class RunNotFoundError(UserError):
    """No trained run, model or checkpoint where one was expected."""


class CheckpointError(UserError):
    """A checkpoint that cannot be continued from: damaged, or of another environment, algorithm or version."""


class StorageError(UserError):
    """A file could not be written: full disk, read-only folder, quota."""


class ResultError(UserError):
    """A result that is not a valid score: no episodes, non-finite numbers, missing fields."""


class UnsafeAgentError(UserError):
    """An agent file that is refused: it carries code, is damaged, too large, or of a kind that is not allowed.

    Args:
        reason: Short machine-readable name of the refusal, for example `"truncated-zip"`.
        message: The sentence for a person.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class EvaluationError(UserError):
    """An evaluation that could not be completed, for example because the agent does not fit the environment."""


class VideoError(UserError):
    """A replay that could not be recorded or encoded."""


class DisplayError(UserError):
    """Rendering needs a screen and there is none."""


class HubError(UserError):
    """The Hub refused, is unreachable, or went away."""


class ClassroomError(UserError):
    """The classroom refused, is unreachable, or answers what no classroom answers."""


class TuningError(UserError):
    """A hyperparameter search that cannot go on, or in which no trial finished."""
