import io
import pickle
import zipfile

import numpy as np
import pytest

from rl_units.errors import UnsafeAgentError
from rl_units.hub.metrics import pack_metrics, unpack_metrics


class Payload:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (open, (str(self.marker), "w"))


def write_zip(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


@pytest.fixture
def curves(tmp_path):
    return tmp_path / "train_eval_metrics.zip"


@pytest.fixture
def run(tmp_path):
    return tmp_path / "run"


def test_learning_curves_come_back_as_they_went(tmp_path, curves, run):
    source = tmp_path / "source"
    source.mkdir()
    (source / "0.monitor.csv").write_text("#{}\nr,l,t\n1,2,3\n")
    np.savez(source / "evaluations.npz", timesteps=[5], results=[[1.5]])
    pack_metrics(source, curves)
    unpack_metrics(curves, run)
    assert (run / "0.monitor.csv").read_text() == "#{}\nr,l,t\n1,2,3\n"
    assert np.load(run / "evaluations.npz")["results"].tolist() == [[1.5]]


def test_files_of_a_resumed_run_come_along(curves, run):
    write_zip(curves, {"0.until-25000.monitor.csv": "x"})
    unpack_metrics(curves, run)
    assert (run / "0.until-25000.monitor.csv").is_file()


def test_leftovers_of_killed_writes_are_not_packed(tmp_path, curves):
    (tmp_path / ".0.monitor-123-0.csv").touch()
    pack_metrics(tmp_path, curves)
    assert zipfile.ZipFile(curves).namelist() == []


def test_links_are_not_packed(tmp_path, curves):
    (tmp_path / "secret").write_text("mine")
    (tmp_path / "0.monitor.csv").symlink_to(tmp_path / "secret")
    (tmp_path / "evaluations.npz").symlink_to(tmp_path / "secret")
    pack_metrics(tmp_path, curves)
    assert zipfile.ZipFile(curves).namelist() == []


@pytest.mark.parametrize(
    "name",
    ["../0.monitor.csv", "/tmp/0.csv", "a/0.monitor.csv", "..\\0.csv", "x.pkl", "agent.zip", ".csv", "a\n.csv"],
)
def test_members_of_other_names_stay_in_the_zip(tmp_path, curves, run, name):
    write_zip(curves, {name: "x", "0.monitor.csv": "y"})
    unpack_metrics(curves, run)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["0.monitor.csv", "run", "train_eval_metrics.zip"]


def test_pickled_arrays_are_not_unpickled(tmp_path, curves, run):
    marker = tmp_path / "marker"
    write_zip(curves, {"evaluations.npz": npz(results=np.array([Payload(marker)], dtype=object))})
    with pytest.raises(UnsafeAgentError, match="cannot be read safely"):
        unpack_metrics(curves, run)
    assert not marker.exists()


def test_a_pickle_in_place_of_the_arrays_is_not_unpickled(tmp_path, curves, run):
    marker = tmp_path / "marker"
    write_zip(curves, {"evaluations.npz": pickle.dumps(Payload(marker))})
    with pytest.raises(UnsafeAgentError, match="cannot be read safely"):
        unpack_metrics(curves, run)
    assert not marker.exists()


def damaged_zip():
    return b"PK\x03\x04" + b"\0" * 40


def bomb(zeros=300 * 1024**2):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("0.monitor.csv", "w") as member:
        for _ in range(zeros // 2**20):
            member.write(bytes(2**20))
    return buffer.getvalue()


def many_members():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(300):
            archive.writestr(f"{number}.monitor.csv", "")
    return buffer.getvalue()


def damaged_member():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.monitor.csv", bytes(1000))
    content = bytearray(buffer.getvalue())
    start = 30 + len("0.monitor.csv")
    content[start : start + 4] = b"\xff" * 4
    return bytes(content)


def bzip2():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("0.monitor.csv", bytes(1000))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: b"no zip", "damaged-metrics"),
        (damaged_zip, "damaged-metrics"),
        (damaged_member, "damaged-metrics"),
        (bzip2, "damaged-metrics"),
        (bomb, "metrics-too-large"),
        (many_members, "metrics-too-large"),
    ],
)
def test_a_hostile_zip_is_refused_and_nothing_is_written(curves, run, make, reason):
    curves.write_bytes(make())
    with pytest.raises(UnsafeAgentError) as refusal:
        unpack_metrics(curves, run)
    assert refusal.value.reason == reason
    assert not run.exists()


def test_an_understated_size_is_not_inflated_further(curves, run):
    # The directory of the zip says 8 bytes, the compressed data hold a megabyte.
    write_zip(curves, {"0.monitor.csv": bytes(2**20)})
    content = curves.read_bytes().replace((2**20).to_bytes(4, "little"), (8).to_bytes(4, "little"))
    curves.write_bytes(content)
    with pytest.raises(UnsafeAgentError, match="cannot be read safely"):
        unpack_metrics(curves, run)
