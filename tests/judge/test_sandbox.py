"""What an agent can do in a sandbox and what it cannot, in each kind that works on this machine."""

import contextlib
import os
import signal
import threading
from pathlib import Path

import pytest

from judge_sandbox import MIB, as_a_user, need, run, started
from rl_leaderboard.judge.sandbox.limits import Limits
from rl_leaderboard.judge.sandbox.processes import start
from rl_leaderboard.judge.sandbox.tiers import NoSandbox, Tier
from rl_leaderboard.judge.sandbox.watch import tree


@pytest.fixture(params=[pytest.param(tier, id=tier.name.lower()) for tier in Tier])
def tier(request):
    need(request.param)
    return request.param


@pytest.fixture(params=[pytest.param(tier, id=tier.name.lower()) for tier in (Tier.NAMESPACES, Tier.LANDLOCK)])
def closed_tier(request):
    """The kinds with a view of files of their own."""
    need(request.param)
    return request.param


@pytest.fixture
def open_folder(tmp_path):
    """A folder that everybody may read, and whose parents only we may."""
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    return folder


def test_an_agent_can_compute_with_torch(closed_tier):
    code = """
import torch, tempfile
a = torch.ones(200, 200)
torch.set_num_threads(2)
torch.save(a @ a, tempfile.gettempdir() + "/a")
b = torch.load("a", weights_only=True)
print(int(b.sum()))
"""
    process, lines = run(closed_tier, code)

    assert (process.returncode, lines) == (0, [str(200**3)]), process.stderr_text()


def test_it_is_nobody_and_has_no_capability_over_files_it_may_not_open(tier):
    code = """
import os
print(sorted(set(os.getresuid() + os.getresgid())), os.getgroups())
"""
    if os.geteuid() == 0:
        assert run(tier, code)[1] == ["[65534] []"]
    elif tier is Tier.NAMESPACES:
        assert run(tier, code)[1][0].startswith("[65534]")


def test_its_environment_has_what_it_needs_and_nothing_of_ours(tier):
    _, lines = run(tier, "import os\nprint(sorted(os.environ))\nprint(open('/proc/self/environ').read())")

    names = ["HOME", "LC_CTYPE", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TMPDIR"]
    assert lines[0] == str(names)
    assert "PATH" not in "".join(lines[1:])


def test_no_process_inside_has_the_environment_of_whoever_started_it():
    """`bwrap --clearenv` would leave it in /proc/1/environ."""
    need(Tier.NAMESPACES)
    inner = """
import os
def read(name):
    try: return open(f'/proc/{name}/environ', 'rb').read()
    except PermissionError: return b'closed'
print({name: read(name) for name in os.listdir('/proc') if name.isdigit() and int(name) != os.getpid()})
"""
    outer = """
import os, sys
from rl_leaderboard.judge.sandbox import Limits, Tier, start
assert os.environ["PYTHONPATH"]
arguments = ["-n1", "-r1", *sys.argv[1].strip().splitlines()]
with start(Tier.NAMESPACES, Limits(), "timeit", arguments, readable=[]) as process:
    print(process.communicate(timeout=60)[0].decode(), process.stderr_text())
"""
    assert as_a_user(outer, inner).startswith(("{'1': b''}", "{'1': b'closed'}"))


def test_it_reads_what_it_was_given_at_the_same_path_and_nothing_beside_it(closed_tier, open_folder):
    (open_folder / "weights").write_text("weights")
    (open_folder.parent / "other").write_text("other")
    (open_folder.parent / "other").chmod(0o644)
    code = f"""
print(open('{open_folder}/weights').read())
open('{open_folder.parent}/other')
"""
    process, lines = run(closed_tier, code, readable=[open_folder])

    assert lines == ["weights"]
    assert "FileNotFoundError" in process.stderr_text() or "PermissionError" in process.stderr_text()


def test_what_it_was_given_cannot_be_changed(closed_tier, open_folder):
    (open_folder / "weights").write_text("weights")
    for path in (open_folder, open_folder / "weights"):
        path.chmod(0o777)
    tries = [
        f"open('{open_folder}/{name}', '{mode}')" for name, mode in (("weights", "w"), ("weights", "a"), ("new", "w"))
    ]
    tries += [f"os.unlink('{open_folder}/weights')", f"os.truncate('{open_folder}/weights', 0)"]
    tries += [f"os.chmod('{open_folder}/weights', 0)", f"os.utime('{open_folder}/weights')"]
    tries += [f"os.open('{open_folder}/weights', os.O_RDONLY | os.O_TRUNC)"]
    for attempt in tries:
        assert run(closed_tier, f"import os\n{attempt}", readable=[open_folder])[0].returncode != 0, attempt
    assert (open_folder / "weights").read_text() == "weights"
    assert (open_folder / "weights").stat().st_mode & 0o777 == 0o777
    assert [path.name for path in open_folder.iterdir()] == ["weights"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only sandboxes of root run as somebody else")
def test_a_folder_that_nobody_else_can_read_is_refused_with_a_sentence(open_folder, tier):
    open_folder.chmod(0o700)

    with pytest.raises(NoSandbox, match="can be read by its owner only"):
        start(tier, Limits(), "this", [], readable=[open_folder])


def test_its_folder_for_temporary_files_is_where_it_was_told(tier, tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    if tier is Tier.LIMITS:
        tmp_path.chmod(0o755)
    code = "import os, tempfile\nopen(os.path.join(tempfile.gettempdir(), 'x'), 'w').write('x')\nprint(os.getcwd())"
    process, lines = run(tier, code, writable=folder)

    assert lines == [str(folder)], process.stderr_text()
    assert (folder / "x").exists() == (tier is not Tier.NAMESPACES)


def test_its_own_folder_goes_with_it(tier):
    process, lines = run(tier, "import os\nopen('x', 'w').write('x')\nprint(os.getcwd())")

    assert process.returncode == 0
    assert not Path(lines[0]).exists()


def test_in_namespaces_all_that_can_be_written_to_has_a_size():
    code = """
import os
places = [place for place, _, _ in os.walk('/') if os.access(place, os.W_OK)]
no_files = ('/proc', '/dev/pts')  # where only the kernel makes any
print([place for place in places if not place.startswith(no_files)])
"""
    need(Tier.NAMESPACES)
    assert run(Tier.NAMESPACES, code)[1] == ["['/scratch']"]


def test_a_file_beyond_its_bound_is_an_error(tier):
    process, lines = run(
        tier, "f = open('x', 'wb', 0)\nprint(f.write(bytes(2 * 2**20)))\nf.write(b'x')", limits=Limits(file_bytes=MIB)
    )

    assert lines == [str(MIB)]
    assert "File too large" in process.stderr_text()


def test_memory_beyond_its_bound_is_an_error(tier):
    process, _ = run(tier, "x = bytearray(600 * 2**20)", limits=Limits(memory_bytes=512 * MIB))

    assert "MemoryError" in process.stderr_text()
    assert process.overrun is None


def test_computing_beyond_its_time_ends_it(tier):
    process, lines = run(tier, "while True: pass", limits=Limits(cpu_seconds=1))

    assert process.returncode in (-signal.SIGXCPU, 128 + signal.SIGXCPU)
    assert lines == []


def test_threads_beyond_their_number_end_it(tier):
    code = """
import threading, time
[threading.Thread(target=time.sleep, args=(100,)).start() for _ in range(40)]
"""
    process, _ = run(tier, code, limits=Limits(processes=16))

    assert process.overrun == "processes"


def test_no_file_without_a_name_can_fill_it(tier):
    code = """
import os, contextlib
file = open('x', 'w')
with contextlib.suppress(PermissionError): os.unlink('x'); print('unlink')
with contextlib.suppress(PermissionError): os.open('.', os.O_TMPFILE | os.O_RDWR); print('nameless')
os.mkdir('z'), os.rmdir('z')
print(os.listdir())
"""
    assert run(tier, code)[1] == ["['x']"]


def test_a_full_folder_ends_it_or_takes_no_more(tier, tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    if tier is Tier.LIMITS:
        tmp_path.chmod(0o755)
    code = """
import os, time
files = []
for n in range(16):
  files.append(open(str(n), 'wb', 0))
  files[-1].write(bytes(2**20))
time.sleep(100)
"""
    process, _ = run(tier, code, writable=folder, limits=Limits(scratch_bytes=8 * MIB))

    if tier is Tier.NAMESPACES:
        assert "No space left" in process.stderr_text()
    else:
        assert process.overrun == "disk"


def test_a_folder_of_many_files_ends_it(tmp_path):
    need(Tier.LANDLOCK)
    folder = tmp_path / "scratch"
    folder.mkdir()
    code = "import time\n[open(str(n), 'w').close() for n in range(200)]\ntime.sleep(100)"

    assert run(Tier.LANDLOCK, code, writable=folder, limits=Limits(scratch_files=50))[0].overrun == "disk"


def test_the_end_of_what_it_complains_about_is_kept_and_no_more(tier):
    process, lines = run(tier, "import sys\nsys.stderr.write('x' * 2**20 + chr(27) + 'last')\nprint('done')")

    assert lines == ["done"]
    assert process.stderr_text().endswith("\x1blast")
    assert len(process.stderr_text()) <= 64 * 1024


def test_the_thread_that_started_it_may_end_before_it(tier):
    processes = []
    code = "import sys\nprint(sys.stdin.readline())"
    thread = threading.Thread(target=lambda: processes.append(started(tier, code)))
    thread.start()
    thread.join()

    with processes[0] as process:
        output, _ = process.communicate(b"still here", timeout=60)
    assert b"still here" in output, process.stderr_text()


def test_other_sandboxes_cannot_be_reached(closed_tier):
    """Sandboxes of root share the user nobody, so it is not the user that keeps them apart."""
    with started(closed_tier, "import sys\nprint('up', flush=True)\nprint(sys.stdin.readline())") as neighbour:
        assert neighbour.stdout.readline() == b"up\n"
        pids = tree(neighbour.pid)
        code = f"""
import os, signal, contextlib
for pid in {pids}:
 with contextlib.suppress(OSError): pid == os.getpid() or os.kill(pid, 9)
 with contextlib.suppress(OSError): pid == os.getpid() or os.sched_setaffinity(pid, [0])
 with contextlib.suppress(OSError): pid == os.getpid() or print(open(f'/proc/{{pid}}/cmdline').read())
"""
        process, lines = run(closed_tier, code)
        output, _ = neighbour.communicate(b"unharmed", timeout=60)

    assert (process.returncode, lines) == (0, []), process.stderr_text()
    assert b"unharmed" in output


def test_a_program_that_does_not_exist_says_so(tier):
    need(tier)
    with start(tier, Limits(), "no_such_module", [], readable=[]) as process:
        with contextlib.suppress(BrokenPipeError):
            process.communicate(timeout=60)
        assert process.returncode == 1
        assert "No module named no_such_module" in process.stderr_text()
