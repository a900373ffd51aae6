"""What an agent may take."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PlayerLimits:
    """Limits of one submission. Those of memory and processors are the sandbox's.

    Attributes:
        start_seconds: Until a new process is ready; it imports torch.
        load_seconds: For loading an agent, and for converting it.
        batch_seconds: For the actions of one batch of observations.
        total_seconds: For all batches of a submission together, the environments' own time not counted.
        end_seconds: For ending after the last batch, before the process is killed.
        most_file_bytes: Of each file of a submission, and of each file that it is converted to.
        most_bytes: Of all files of a submission together.
        most_files: Of a submission that can be part of an agent.
    """

    start_seconds: float = 120.0
    load_seconds: float = 60.0
    batch_seconds: float = 20.0
    total_seconds: float = 1800.0
    end_seconds: float = 5.0
    most_file_bytes: int = 64 * 1024**2
    most_bytes: int = 128 * 1024**2
    most_files: int = 32
