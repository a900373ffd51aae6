"""Hostile and damaged agents. Adding a case is adding an entry to one of the tables at the end.

Payloads only touch a marker file.
"""

import base64
import io
import json
import os
import pickle
import struct
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path

import cloudpickle
import numpy as np
import onnx
import torch as th
from onnx import TensorProto, helper


class Payload:
    """Unpickling it creates a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@dataclass(frozen=True)
class Genuine:
    """What the builders start from.

    Attributes:
        zip: A DQN agent for Tiny-vector-discrete-v0, saved by SB3.
        folder: An empty folder to build in.
        marker: What a payload would create.
    """

    zip: Path
    folder: Path
    marker: Path

    def rebuilt(self, **changes):
        """The genuine zip with changes, see `rebuilt_zip`."""
        return rebuilt_zip(self.zip, self.folder / "agent.zip", **changes)


def members_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_zip(path, members, compression=zipfile.ZIP_STORED):
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", compression) as archive:
        warnings.simplefilter("ignore")  # about names that stand twice
        for name, content in members:
            archive.writestr(name, content)
    return path


def rebuilt_zip(source, path, *, data=None, weights=None, members=None, compression=zipfile.ZIP_STORED):
    """Copies an SB3 zip; each argument maps the old data, weights or members to the new ones."""
    content = members_of(source)
    if data is not None:
        content["data"] = json.dumps(data(json.loads(content["data"]))).encode()
    if weights is not None:
        state = th.load(io.BytesIO(content["policy.pth"]), weights_only=True)
        content["policy.pth"] = saved_tensors(weights(dict(state)))
    return write_zip(path, list((members(content) if members is not None else content).items()), compression)


def saved_tensors(state):
    file = io.BytesIO()
    th.save(state, file)
    return file.getvalue()


def with_first(change):
    """Weights whose first tensor is changed."""

    def apply(state):
        name = next(iter(state))
        return {**state, name: change(state[name])}

    return apply


def holding(value):
    def change(tensor):
        tensor = tensor.clone()
        tensor.view(-1)[0] = value
        return tensor

    return change


def quietly(make):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make()


def inner_zip(content, compression):
    """A `.pth` file written again with another compression."""
    file = io.BytesIO()
    write_zip(file, list(members_of(io.BytesIO(content)).items()), compression)
    return file.getvalue()


def with_index(content, index):
    """A `.pth` file with another pickle that names its tensors."""
    file = io.BytesIO()
    members = members_of(io.BytesIO(content)).items()
    write_zip(file, [(name, index if name.endswith("data.pkl") else member) for name, member in members])
    return file.getvalue()


def kwargs_of(**kwargs):
    return lambda data: {**data, "policy_kwargs": kwargs}


def policy_member(content):
    return lambda members: {**members, "policy.pth": content(members["policy.pth"])}


def data_member(content):
    return lambda members: {**members, "data": content}


def extra_members(genuine, *extra):
    return write_zip(genuine.folder / "agent.zip", [*members_of(genuine.zip).items(), *extra])


def patched(genuine, change):
    path = genuine.folder / "agent.zip"
    path.write_bytes(change(genuine.zip.read_bytes()))
    return path


def encrypted(content):
    (directory,) = struct.unpack("<I", content[-6:-2])  # at the end of a zip without a comment
    start = directory + 8  # flags of the first entry
    return content[:start] + struct.pack("<H", 1) + content[start + 2 :]


def flipped(content):
    start = content.index(b'"policy_class"')
    return content[:start] + b"#" + content[start + 1 :]


def large_directory(genuine):
    return write_zip(genuine.folder / "agent.zip", [(f"{'n' * 200}{i}", b"") for i in range(3000)])


def symlink_member(genuine):
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    return extra_members(genuine, (link, b"/etc/passwd"))


def overlapping(content):
    """Every entry of the inner directory points at the largest member, so that the sizes add up to more."""
    members = zipfile.ZipFile(io.BytesIO(content)).infolist()
    names = [member.filename for member in members]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(names[0], b"\0" * 10_000)
        for name in names[1:]:
            entry = zipfile.ZipInfo(name)
            entry.CRC = archive.infolist()[0].CRC
            entry.file_size = entry.compress_size = 10_000
            entry.header_offset = archive.infolist()[0].header_offset
            archive.filelist.append(entry)
    return file.getvalue()


def linked(genuine):
    path = genuine.folder / "agent.zip"
    path.symlink_to(genuine.zip)
    return path


def huge_file(genuine):
    path = genuine.folder / "agent.zip"
    path.touch()
    os.truncate(path, 600 * 1024**2)  # sparse
    return path


def pipe(genuine):
    os.mkfifo(genuine.folder / "agent.zip")
    return genuine.folder / "agent.zip"


def two_zips(genuine):
    for name in ("one.zip", "two.zip"):
        (genuine.folder / name).write_bytes(genuine.zip.read_bytes())
    return genuine.folder


def bytes_at(name, content):
    def build(genuine):
        (genuine.folder / name).write_bytes(content)
        return genuine.folder / name

    return build


ZIPS = {
    "text instead of a zip": ("not-a-zip", bytes_at("agent.zip", b"hello")),
    "empty file": ("not-a-zip", bytes_at("agent.zip", b"")),
    "missing file": ("missing-file", lambda g: g.folder / "none.zip"),
    "empty folder": ("missing-file", lambda g: g.folder),
    "several zips in a folder": ("ambiguous-folder", two_zips),
    "symbolic link": ("symlink", linked),
    "named pipe": ("unreadable-file", pipe),
    "file beyond the limit": ("file-too-large", huge_file),
    "half of a zip": ("truncated-zip", lambda g: patched(g, lambda content: content[: len(content) // 2])),
    "flipped byte": ("damaged-member", lambda g: patched(g, flipped)),
    "encrypted member": ("encrypted", lambda g: patched(g, encrypted)),
    "21 members": ("too-many-members", lambda g: extra_members(g, *((f"more{i}", b"") for i in range(20)))),
    "large table of contents": ("too-many-members", large_directory),
    "member that stands twice": ("duplicate-member", lambda g: extra_members(g, ("data", b"{}"))),
    "absolute name": ("unsafe-member-name", lambda g: extra_members(g, ("/etc/passwd", b""))),
    "name above the zip": ("unsafe-member-name", lambda g: extra_members(g, ("a/../../b", b""))),
    "name with a drive": ("unsafe-member-name", lambda g: extra_members(g, ("C:\\b", b""))),
    "link as a member": ("symlink", symlink_member),
    "bomb in data": (
        "member-too-large",
        lambda g: g.rebuilt(members=data_member(b" " * (33 * 1024**2)), compression=zipfile.ZIP_DEFLATED),
    ),
    "no data": ("missing-member", lambda g: g.rebuilt(members=lambda m: {"policy.pth": m["policy.pth"]})),
    "no weights": ("missing-member", lambda g: g.rebuilt(members=lambda m: {"data": m["data"]})),
}
"""Builders of files that are refused for what the zip is, with the reason."""

WEIGHTS = {
    "bomb in policy.pth": (
        "compressed-weights",
        lambda g: g.rebuilt(members=policy_member(lambda c: inner_zip(c, zipfile.ZIP_DEFLATED))),
    ),
    "overlapping tensors": ("member-too-large", lambda g: g.rebuilt(members=policy_member(overlapping))),
    "policy.pth is no zip": ("not-a-zip", lambda g: g.rebuilt(members=policy_member(lambda _: pickle.dumps({})))),
    "policy.pth is cut off": ("truncated-zip", lambda g: g.rebuilt(members=policy_member(lambda c: c[:-500]))),
    "policy.pth without tensors": (
        "damaged-weights",
        lambda g: g.rebuilt(members=policy_member(lambda _: write_zip(io.BytesIO(), [("a/b", b"")]).getvalue())),
    ),
    "code in policy.pth": ("pickle-payload", lambda g: g.rebuilt(weights=lambda s: {**s, "x": Payload(g.marker)})),
    "code in old policy.pth": (
        "not-a-zip",
        lambda g: g.rebuilt(members=policy_member(lambda _: pickle.dumps(Payload(g.marker)))),
    ),
    "NaN": ("non-finite-weights", lambda g: g.rebuilt(weights=with_first(holding(float("nan"))))),
    "infinity": ("non-finite-weights", lambda g: g.rebuilt(weights=with_first(holding(float("inf"))))),
    "half precision": ("unsupported-tensor", lambda g: g.rebuilt(weights=with_first(th.Tensor.half))),
    "double precision": ("unsupported-tensor", lambda g: g.rebuilt(weights=with_first(th.Tensor.double))),
    "sparse": ("unsupported-tensor", lambda g: g.rebuilt(weights=with_first(th.Tensor.to_sparse))),
    "meta": ("unsupported-tensor", lambda g: g.rebuilt(weights=with_first(lambda t: t.to("meta")))),
    "one number as a million": (
        "unsupported-tensor",
        lambda g: g.rebuilt(weights=with_first(lambda _: th.zeros(1).expand(1000, 1000))),
    ),
    "quantised": (
        "unsupported-tensor",
        lambda g: g.rebuilt(
            weights=lambda s: quietly(
                lambda: with_first(lambda t: th.quantize_per_tensor(t, 0.1, 0, th.qint8))(s)  # deprecated by torch
            )
        ),
    ),
    "a list": ("unsupported-tensor", lambda g: g.rebuilt(weights=lambda s: list(s.values()))),
    "a table in the table": ("unsupported-tensor", lambda g: g.rebuilt(weights=lambda s: {**s, "x": {}})),
    "a number for a name": ("unsupported-tensor", lambda g: g.rebuilt(weights=lambda s: {**s, 1: th.zeros(1)})),
    "wrong shape": ("wrong-weights", lambda g: g.rebuilt(weights=with_first(lambda t: t[:-1].clone()))),
    "missing weight": ("wrong-weights", lambda g: g.rebuilt(weights=lambda s: dict(list(s.items())[1:]))),
    "unexpected weight": ("wrong-weights", lambda g: g.rebuilt(weights=lambda s: {**s, "extra": th.zeros(1)})),
    "index of two megabytes": (
        "member-too-large",
        lambda g: g.rebuilt(members=policy_member(lambda c: with_index(c, b"\x80\x02" + b"]" * 2_000_000))),
    ),
    "one tensor under so many names that looking takes minutes": (
        "too-many-weights",
        lambda g: g.rebuilt(weights=lambda _: dict.fromkeys(map(str, range(900)), th.zeros(400_000))),
    ),
    "one tensor under ten thousand names": (
        "too-many-weights",
        lambda g: g.rebuilt(weights=lambda _: dict.fromkeys(map(str, range(10_000)), th.zeros(1))),
    ),
    "names of no algorithm": (
        "unknown-algorithm",
        lambda g: g.rebuilt(weights=lambda s: {f"net.{name}": tensor for name, tensor in s.items()}),
    ),
    "no weights at all": ("unknown-algorithm", lambda g: g.rebuilt(weights=lambda _: {})),
}
"""Builders of zips that are refused for their weights."""

DATA = {
    "text instead of JSON": ("bad-json", lambda g: g.rebuilt(members=data_member(b"hello"))),
    "no UTF-8": ("bad-json", lambda g: g.rebuilt(members=data_member(b'{"a": "\xff"}'))),
    "a list": ("bad-json", lambda g: g.rebuilt(members=data_member(b"[]"))),
    "NaN": ("bad-json", lambda g: g.rebuilt(members=data_member(b'{"gamma": NaN}'))),
    "a key that stands twice": ("bad-json", lambda g: g.rebuilt(members=data_member(b'{"a": 1, "a": 2}'))),
    "a hundred thousand brackets": ("bad-json", lambda g: g.rebuilt(members=data_member(b'{"a":' + b"[" * 100_000))),
    "a million digits": ("bad-json", lambda g: g.rebuilt(members=data_member(b'{"a":' + b"9" * 1_000_000 + b"}"))),
    "policy_kwargs as text": ("bad-policy-kwargs", lambda g: g.rebuilt(data=lambda d: {**d, "policy_kwargs": "x"})),
    "unknown argument": ("unknown-policy-kwargs", lambda g: g.rebuilt(data=kwargs_of(device="cuda"))),
    "argument of another algorithm": ("unknown-policy-kwargs", lambda g: g.rebuilt(data=kwargs_of(n_critics=2))),
    "layer of a billion units": ("too-many-parameters", lambda g: g.rebuilt(data=kwargs_of(net_arch=[10**9]))),
    "a hundred layers": ("bad-policy-kwargs", lambda g: g.rebuilt(data=kwargs_of(net_arch=[1] * 100))),
    "layer of minus one unit": ("bad-policy-kwargs", lambda g: g.rebuilt(data=kwargs_of(net_arch=[-1]))),
    "layer of half a unit": ("bad-policy-kwargs", lambda g: g.rebuilt(data=kwargs_of(net_arch=[0.5]))),
    "layers as text": ("bad-policy-kwargs", lambda g: g.rebuilt(data=kwargs_of(net_arch="[64, 64]"))),
    "somebody's activation": (
        "bad-policy-kwargs",
        lambda g: g.rebuilt(data=kwargs_of(activation_fn="<class '__main__.ReLU'>")),
    ),
    "somebody's extractor": (
        "custom-extractor",
        lambda g: g.rebuilt(data=kwargs_of(features_extractor_class="<class '__main__.Mine'>")),
    ),
    "weights of TRPO": (
        "unknown-algorithm",
        lambda g: g.rebuilt(
            weights=lambda _: {"action_net.bias": th.zeros(4)}, data=lambda d: {**d, "cg_max_steps": 15}
        ),
    ),
    "somebody's policy": (
        "unknown-policy",
        lambda g: g.rebuilt(data=lambda d: {**d, "policy_class": {"__module__": "mine"}}),
    ),
    "argument of an extractor without any": (
        "bad-policy-kwargs",
        lambda g: g.rebuilt(data=kwargs_of(features_extractor_kwargs={"features_dim": 8})),
    ),
    "other layers than the weights": ("wrong-weights", lambda g: g.rebuilt(data=kwargs_of(net_arch=[8]))),
}
"""Builders of zips that are refused for their data."""


def payload_in(key, marker):
    """A change of data that puts code under a key, in SB3's own wrapping."""
    code = base64.b64encode(cloudpickle.dumps(Payload(marker))).decode()
    return lambda data: {**data, key: {":type:": "<class 'x'>", ":serialized:": code}}


def pickled_keys(path):
    """Every key of a zip's data that SB3 would unpickle."""
    data = json.loads(members_of(path)["data"])
    return [key for key, value in data.items() if isinstance(value, dict) and ":serialized:" in value]


def statistics_pickle(**changes):
    """What SB3 saves, with other values in it; see `test_agent_normalization` for genuine ones."""
    from stable_baselines3.common.running_mean_std import RunningMeanStd
    from stable_baselines3.common.vec_env import VecNormalize

    statistics = VecNormalize.__new__(VecNormalize)
    running = RunningMeanStd(shape=changes.pop("shape", (5,)))
    for name in ("mean", "var"):
        if name in changes:
            setattr(running, name, changes.pop(name))
    state = {"norm_obs": True, "norm_obs_keys": None, "obs_rms": running, "clip_obs": 10.0, "epsilon": 1e-8}
    statistics.__dict__.update({**state, "venv": None, "class_attributes": None, "returns": None, **changes})
    return pickle.dumps(statistics)


def beside(name, content):
    """The genuine zip with another file in its folder; `content` is made from the genuine agent."""

    def build(genuine):
        (genuine.folder / name).write_bytes(content(genuine) if callable(content) else content)
        return genuine.rebuilt()

    return build


PICKLE = "vec_normalize.pkl"
NORMALIZATION = {
    "code": ("unsafe-normalization", beside(PICKLE, lambda g: pickle.dumps(Payload(g.marker)))),
    "code in a value": ("unsafe-normalization", beside(PICKLE, lambda g: statistics_pickle(x=Payload(g.marker)))),
    "eval": ("unsafe-normalization", beside(PICKLE, b"cbuiltins\neval\n(S'1'\ntR.")),
    "attribute of numpy": ("unsafe-normalization", beside(PICKLE, b"cnumpy\nsave\n.")),
    "dotted name": ("unsafe-normalization", beside(PICKLE, b"\x80\x04\x8c\x0bcollections\x8c\x0dOrderedDict.x\x93.")),
    "gigabytes of memo": ("unsafe-normalization", beside(PICKLE, b"\x80\x02Nr\xff\xff\xff\x7f.")),
    "tuples of tuples as a key": ("unsafe-normalization", beside(PICKLE, b"\x80\x02}K\x01" + b"2\x86" * 60 + b"Ns.")),
    "tuples of the memo as a key": (
        "unsafe-normalization",
        beside(
            PICKLE, b"\x80\x04}K\x01" + b"\x94h\x00\x86" + b"".join(b"\x94h%c\x86" % n for n in range(1, 60)) + b"Ns."
        ),
    ),
    "tuples in a set as a key": ("unsafe-normalization", beside(PICKLE, b"\x80\x04}(K\x01\x91Ns.")),
    "endless reads of the memo": ("unsafe-normalization", beside(PICKLE, b"\x80\x04]\x94" + b"h\x000" * 7000 + b".")),
    "endless parts": ("unsafe-normalization", beside(PICKLE, b"\x80\x04" + b"N0" * 20_000 + b"N.")),
    "gigabytes of bytes": ("bad-normalization", beside(PICKLE, b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b".")),
    "reference outside": ("bad-normalization", beside(PICKLE, b"Px\n.")),
    "extension": ("bad-normalization", beside(PICKLE, b"\x80\x02\x82\x01.")),
    "garbage": ("bad-normalization", beside(PICKLE, b"garbage")),
    "another object": ("bad-normalization", beside(PICKLE, pickle.dumps({"mean": 0}))),
    "objects as numbers": ("bad-normalization", beside(PICKLE, lambda _: statistics_pickle(mean=np.array([{}] * 5)))),
    "NaN": ("bad-normalization", beside(PICKLE, lambda _: statistics_pickle(mean=np.full(5, np.nan)))),
    "negative variance": ("bad-normalization", beside(PICKLE, lambda _: statistics_pickle(var=np.full(5, -1.0)))),
    "wrong shape": ("bad-normalization", beside(PICKLE, lambda _: statistics_pickle(shape=(4,)))),
    "too large": ("file-too-large", beside(PICKLE, b"\0" * (9 * 1024**2))),
    "JSON with NaN": ("bad-json", beside("vec_normalize.json", b'{"mean": NaN}')),
    "JSON with an infinity": ("bad-json", beside("vec_normalize.json", b'{"mean": 1e999}')),
    "JSON without fields": ("bad-normalization", beside("vec_normalize.json", b"{}")),
}
"""Builders of agents that are refused for their normalisation statistics."""


def graph(
    *,
    operator="Gemm",
    domain="",
    dtype=TensorProto.FLOAT,
    width=5,
    output="scores",
    external=False,
    batch="n",
    extra=(),
    algo="dqn",
    actions=4,
):
    """A linear network in ONNX for Tiny-vector-discrete-v0, with one thing wrong."""
    weight = helper.make_tensor("weight", dtype, (width, actions), [0.5] * (actions * width))
    if external:
        weight.ClearField("float_data")
        weight.data_location = TensorProto.EXTERNAL
        weight.external_data.add(key="location", value="../../etc/passwd")
    node = helper.make_node(operator, ["observations", "weight"], [output], domain=domain)
    model = helper.make_model(
        helper.make_graph(
            [node, *extra],
            "agent",
            [helper.make_tensor_value_info("observations", dtype, (batch, width))],
            [helper.make_tensor_value_info(output, dtype, (batch, "scores"))],
            [weight],
        ),
        opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid("mine", 1)],
    )
    if algo is not None:
        model.metadata_props.add(key="algo", value=algo)
    return model.SerializeToString()


def loop():
    body = helper.make_graph(
        [helper.make_node("Identity", ["condition"], ["again"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, ()),
            helper.make_tensor_value_info("condition", TensorProto.BOOL, ()),
        ],
        [helper.make_tensor_value_info("again", TensorProto.BOOL, ())],
    )
    return helper.make_node("Loop", ["", ""], ["x"], body=body)


def graph_inside():
    node = helper.make_node("Identity", ["observations"], ["x"])
    node.attribute.append(helper.make_attribute("body", helper.make_graph([], "inner", [], [])))
    return node


def with_function():
    model = onnx.load_model_from_string(graph())
    model.functions.add(name="Relu", domain="mine")
    return model.SerializeToString()


def onnx_file(content):
    def build(genuine):
        (genuine.folder / "agent.onnx").write_bytes(content)
        return genuine.folder

    return build


ONNX = {
    "garbage": ("damaged-onnx", onnx_file(b"\xff\xffgarbage")),
    "empty": ("damaged-onnx", onnx_file(b"")),
    "graph that does not fit together": ("damaged-onnx", onnx_file(graph(operator="Conv"))),
    "weights in another file": ("external-data", onnx_file(graph(external=True))),
    "operator of one's own": ("unknown-operator", onnx_file(graph(domain="mine"))),
    "random numbers": ("unknown-operator", onnx_file(graph(operator="RandomNormalLike"))),
    "loop": ("unknown-operator", onnx_file(graph(extra=[loop()]))),
    "graph inside an operator": ("unknown-operator", onnx_file(graph(extra=[graph_inside()]))),
    "function of one's own": ("unknown-operator", onnx_file(with_function())),
    "other observations": ("does-not-fit", onnx_file(graph(width=6))),
    "other type of observations": ("does-not-fit", onnx_file(graph(dtype=TensorProto.DOUBLE))),
    "batches of one only": ("does-not-fit", onnx_file(graph(batch=1))),
    "no algorithm named": ("unknown-algorithm", onnx_file(graph(algo=None))),
    "algorithm that we do not know": ("unknown-algorithm", onnx_file(graph(algo="tqc"))),
    "other output": ("does-not-fit", onnx_file(graph(output="actions"))),
}
"""Builders of folders that are refused for their ONNX graph."""
