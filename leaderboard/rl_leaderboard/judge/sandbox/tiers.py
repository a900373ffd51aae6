"""Kinds of sandboxes, and what each stops."""

from enum import StrEnum


class Tier(StrEnum):
    """A kind of sandbox, the strongest first. The value is what is shown and stored."""

    NAMESPACES = "A namespaces"
    LANDLOCK = "B landlock"
    LIMITS = "C limits only"


class NoSandbox(Exception):
    """No sandbox, or none that is strong enough, works on this machine; the sentence says what to do."""


class Attempt(StrEnum):
    """What a hostile agent would try. The value is how the README's table calls it."""

    READ_SECRET = "read a file outside its folders"  # noqa: S105 — not a password
    READ_ENVIRONMENT = "read another process' environment"
    WRITE_OUTSIDE = "write outside its scratch folder"
    CONNECT_TCP = "connect to a TCP port of the host"
    CONNECT_UDP = "send a UDP packet to the host"
    CONNECT_UNIX = "connect to a Unix socket of the host"
    CONNECT_ABSTRACT = "connect to an abstract socket of the host"
    SEE_PROCESSES = "see the host's processes"
    SIGNAL_PROCESS = "send a signal to a process of the host"
    PTRACE = "trace or read the memory of a process"
    USER_NAMESPACE = "make a user namespace"
    RUN_PROGRAM = "start another program"
    FORK_FLOOD = "start 400 processes"
    THREAD_FLOOD = "start 2000 threads"
    MEMORY = "allocate 6 GiB"
    TREE_MEMORY = "use more memory with several processes"
    LARGE_FILE = "make a file of 700 MiB"
    FILL_SCRATCH = "fill its scratch folder beyond the bound"
    FILL_UNSEEN = "fill it with files that have no name any more"
    CPU_TIME = "compute beyond its time"


# Without a view of files of its own, a process sees those of its user, those for everybody among them.
_NEED_A_VIEW = {Attempt.READ_SECRET, Attempt.READ_ENVIRONMENT, Attempt.WRITE_OUTSIDE, Attempt.SEE_PROCESSES}

# What a tier must stop to count as available.
PROMISES: dict[Tier, frozenset[Attempt]] = {
    Tier.NAMESPACES: frozenset(Attempt),
    Tier.LANDLOCK: frozenset(Attempt),
    Tier.LIMITS: frozenset(set(Attempt) - _NEED_A_VIEW),
}

# What no tier stops; for the README.
NOT_STOPPED = (
    "A hole in the Linux kernel or in the processor: all tiers share the host's kernel. A host that takes code, rather "
    "than weights, wants gVisor or a virtual machine around the judge.",
    "Slowing the machine down within the limits: without control groups, processors and disks are shared.",
    "What the watch sees too late, between two looks (0.1 s): more in the scratch folder of the host than is allowed.",
    "Telling what it saw through the answers that it is asked for: actions, and the time that they take.",
)

# The same for one tier, besides what it does not promise.
NOT_STOPPED_BY: dict[Tier, tuple[str, ...]] = {
    Tier.NAMESPACES: (),
    Tier.LANDLOCK: (
        "Asking whether a file of the host exists, how large and how old it is: Landlock guards the opening only.",
        "Using up the tasks of a user whom sandboxes share, for as long as each stays within its own number.",
        "Hiding files on the disk by renaming others over them while they are open: at most the number of open files "
        "times the largest file, for as long as the process lives.",
    ),
    Tier.LIMITS: (
        "Reading and changing every file that the judge's user (for root: `nobody`) can read or change.",
        "Seeing the host's processes and, of the same user, their environment.",
        "Using up the tasks of a user whom sandboxes share, for as long as each stays within its own number.",
        "Hiding files on the disk by renaming others over them while they are open: at most the number of open files "
        "times the largest file, for as long as the process lives.",
    ),
}


def gaps(tier: Tier) -> tuple[str, ...]:
    """What an operator has to know about a tier besides `NOT_STOPPED`, as sentences; none for the strongest."""
    return NOT_STOPPED_BY[tier]
