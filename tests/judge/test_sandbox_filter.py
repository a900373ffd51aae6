"""What the filter of system calls answers, on both architectures: run here by a small machine of our own."""

import errno
import os
import struct
from types import SimpleNamespace

import pytest

from rl_leaderboard.judge.sandbox import seccomp, syscalls

ALLOW, KILL = 0x7FFF0000, 0x80000000
DENIED, NOT_THERE = 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
OURS = 77  # the process that the strict filter is for


def verdict(program, architecture, number, *arguments):
    """Runs classic BPF on one `struct seccomp_data`."""
    data = struct.pack("=iIQ6Q", number, architecture, 0, *(list(arguments) + [0] * 6)[:6])
    steps = list(struct.iter_unpack("HBBI", program))
    place = value = 0
    while True:
        code, true, false, operand = steps[place]
        place += 1
        if code == 0x20:
            value = struct.unpack_from("=I", data, operand)[0]
        elif code == 0x54:
            value &= operand
        elif code == 0x06:
            return operand
        else:
            holds = {0x15: value == operand, 0x25: value > operand, 0x45: bool(value & operand)}[code]
            place += true if holds else false


@pytest.fixture(params=ARCHITECTURES)
def machine(request, monkeypatch):
    monkeypatch.setattr("os.uname", lambda: SimpleNamespace(machine=request.param))
    audit, column = ARCHITECTURES[request.param]

    def ask(call, *arguments, **how):
        number = call[column] if isinstance(call, tuple) else call
        return ALLOW if number is None else verdict(seccomp.program(**how), audit, number, *arguments)

    ask.number = lambda call: call[column]
    return ask


CALLS = [(name, numbers) for group in syscalls.DENIED.values() for name, numbers in group.items()]


def test_everything_on_the_list_is_denied(machine):
    answers = {name: machine(numbers, only=OURS) for name, numbers in CALLS if machine.number(numbers) is not None}

    assert set(answers.values()) == {DENIED}
    assert {machine(numbers) for _, numbers in CALLS if machine.number(numbers) is not None} == {DENIED}


def test_no_number_is_on_the_list_twice(machine):
    numbers = [machine.number(numbers) for _, numbers in CALLS]
    known = [number for number in numbers if number is not None]

    assert len(known) == len(set(known))


def test_programs_and_processes_are_left_open_only_on_the_way_there(machine):
    late = [*syscalls.DENIED_AT_LAST.values(), *syscalls.DENIED_ALONE.values()]
    late = [call for call in late if machine.number(call) is not None]

    assert {machine(call) for call in late} == {ALLOW}
    assert {machine(call, only=OURS) for call in late} == {DENIED}
    assert {machine(call, programs=False) for call in syscalls.DENIED_AT_LAST.values()} == {DENIED}
    assert machine(syscalls.CLONE, 17, programs=False) == ALLOW


@pytest.mark.parametrize(
    ("flags", "answer"),
    [
        pytest.param(0x3D0F00, ALLOW, id="a thread"),
        pytest.param(17, DENIED, id="a process"),
        pytest.param(0x10000000 | 0x10000, DENIED, id="a thread in a user namespace"),
        pytest.param(0x4000 | 0x100 | 17, DENIED, id="vfork"),
    ],
)
def test_threads_can_be_started_and_processes_cannot(machine, flags, answer):
    assert machine(syscalls.CLONE, flags, only=OURS) == answer


def test_no_namespace_can_be_made_even_on_the_way(machine):
    for bit in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert machine(syscalls.CLONE, bit | 17) == DENIED


def test_a_signal_reaches_oneself_only(machine):
    assert machine(syscalls.TGKILL, OURS, 78, 6, only=OURS) == ALLOW
    assert machine(syscalls.TGKILL, 1, 1, 9, only=OURS) == DENIED


@pytest.mark.parametrize("call", ["OPEN", "OPENAT"])
def test_a_file_that_may_be_read_only_is_not_emptied(machine, call):
    numbers = getattr(syscalls, call)
    before = (0,) if call == "OPEN" else (0, 0)
    if machine.number(numbers) is None:
        pytest.skip("this architecture does not have the call")

    assert machine(numbers, *before, os.O_RDONLY | os.O_TRUNC) == DENIED
    assert machine(numbers, *before, os.O_RDONLY | os.O_CLOEXEC) == ALLOW
    assert machine(numbers, *before, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) == ALLOW


def test_no_file_loses_its_name_but_folders_can_be_removed(machine):
    assert machine(syscalls.UNLINKAT, 3, 0, 0, only=OURS) == DENIED
    assert machine(syscalls.UNLINKAT, 3, 0, 0x200, only=OURS) == ALLOW
    assert machine(syscalls.UNLINKAT, 3, 0, 0) == ALLOW
    assert machine(syscalls.OPENAT, 3, 0, os.O_TMPFILE | os.O_RDWR, only=OURS) == DENIED


def test_limits_of_other_processes_are_out_of_reach(machine):
    assert machine(syscalls.PRLIMIT64, 0, 7) == ALLOW
    assert machine(syscalls.PRLIMIT64, 1, 7) == DENIED


def test_nobody_gets_signals_from_files_or_keys_from_terminals(machine):
    assert {machine(syscalls.FCNTL, 3, command) for command in (8, 10, 15)} == {DENIED}
    assert {machine(syscalls.IOCTL, 0, command) for command in (0x5412, 0x541C, 0x8901, 0x8902)} == {DENIED}
    assert machine(syscalls.FCNTL, 3, 1) == machine(syscalls.IOCTL, 0, 0x5401) == ALLOW


def test_new_calls_are_not_there(machine):
    assert {machine(number) for number in (451, 500, 100_000)} == {NOT_THERE}
    assert {machine(call) for call in syscalls.NOT_THERE.values()} == {NOT_THERE}


def test_another_architectures_calls_end_the_process(machine):
    assert verdict(seccomp.program(), 0x40000003, 1) == KILL  # 32-bit x86
    assert machine(0x40000000 | 1) == KILL  # x32


def test_ordinary_calls_are_allowed(machine):
    for call in ((0, 63), (1, 64), (9, 222), (11, 215), (12, 214), (202, 98), (231, 94), (318, 278), (157, 167)):
        assert machine(call, only=OURS) == ALLOW


def test_an_architecture_that_is_not_known_has_no_filter(monkeypatch):
    monkeypatch.setattr("os.uname", lambda: SimpleNamespace(machine="riscv64"))

    assert not seccomp.supported()
    with pytest.raises(OSError, match="riscv64"):
        seccomp.program()
