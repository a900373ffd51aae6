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


CHECKPOINT_REMEDY = "Put back a copy of the checkpoint folder, or begin a new run without --resume."
"""What to do about a checkpoint that cannot be read."""

SETTINGS_REMEDY = "Resume with the hyperparameters that it was started with."
"""What to do about a checkpoint that is whole, but of other settings."""


class StorageError(UserError):
    """A file could not be written: full disk, read-only folder, quota."""


class ResultError(UserError):
    """A result that is not a valid score: no episodes, non-finite numbers, missing fields."""


ONNX_REMEDY = "Export it again with `rl_units.agents.export_onnx`, or use the file that SB3 or ML-Agents saved."
"""What to do about an ONNX file that cannot be played."""

_ZIP_REMEDY = "Use the zip that SB3 saved, unchanged."
_FILES_REMEDY = "Save the agent again with `rl_units.agents.save_agent`, or use the zip that SB3 saved."
_POLICY_REMEDY = "Train it again with a policy of SB3's own and plain arguments, and use that."
_STATISTICS_REMEDY = "Use the vecnormalize.pkl that SB3 saved with this model, unchanged."
_SIZE_REMEDY = "Train a smaller network and use that."
# What to do about each refusal, if the sentence about it does not say so already.
_REMEDIES = {
    "bad-json": _FILES_REMEDY,
    "bad-normalization": _STATISTICS_REMEDY,
    "bad-policy-kwargs": _POLICY_REMEDY,
    "bad-specification": _FILES_REMEDY,
    "compressed-weights": _ZIP_REMEDY,
    "custom-extractor": _POLICY_REMEDY,
    "damaged-member": _ZIP_REMEDY,
    "damaged-onnx": ONNX_REMEDY,
    "damaged-weights": _FILES_REMEDY,
    "duplicate-member": _ZIP_REMEDY,
    "encrypted": _ZIP_REMEDY,
    "file-too-large": "Use the agent alone: SB3 saves it without its replay buffer.",
    "member-too-large": _ZIP_REMEDY,
    "missing-file": "Look at the name, or save the agent there again.",
    "missing-member": _ZIP_REMEDY,
    "non-finite-weights": "Its training has diverged: train it again with a smaller learning rate, and use that.",
    "not-a-zip": _ZIP_REMEDY,
    "pickle-payload": _ZIP_REMEDY,
    "symlink": "Use the file itself, or the zip that SB3 saved.",
    "too-many-members": _ZIP_REMEDY,
    "too-many-parameters": _SIZE_REMEDY,
    "too-many-weights": _SIZE_REMEDY,
    "truncated-zip": _ZIP_REMEDY,
    "unknown-format": _FILES_REMEDY,
    "unknown-operator": ONNX_REMEDY,
    "unknown-policy": _POLICY_REMEDY,
    "unknown-policy-kwargs": _POLICY_REMEDY,
    "unreadable-file": "Use a plain copy of it.",
    "unsafe-member-name": _ZIP_REMEDY,
    "unsafe-normalization": _STATISTICS_REMEDY,
    "unsupported-tensor": _FILES_REMEDY,
    "wrong-weights": "Use the weights and the settings of one and the same model, as its zip from SB3 has them.",
}


def remedy_of(reason: str) -> str:
    """What to do about a refusal, a sentence; empty if the sentence about it says so, or there is no such refusal."""
    return _REMEDIES.get(reason, "")


class UnsafeAgentError(UserError):
    """An agent file that is refused: it carries code, is damaged, too large, or of a kind that is not allowed.

    Args:
        reason: Short machine-readable name of the refusal, for example `"truncated-zip"`.
        message: What happened, for a person; for most reasons what to do is added to it.
    """

    def __init__(self, reason: str, message: str) -> None:
        remedy = remedy_of(reason)
        super().__init__(f"{message.removesuffix('.')}. {remedy}" if remedy else message)
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
