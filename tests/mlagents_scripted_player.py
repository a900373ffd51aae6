"""Small Unity sides for the tests, which write as Unity does: what is zero is left out, pictures are PNG files.

    write_scripted_player(tmp_path / "Game.x86_64", "mirror")

writes an executable that plays a scene to whoever starts it, as the Unity side of the protocol. A scene is a generator:
it yields messages and is sent the trainer's answers.
"""

import argparse
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from mlagents_bridge.behaviors import Behavior, Sensor
from mlagents_bridge.protocol import environment_side, messages
from mlagents_bridge.protocol.varints import tagged, varint

WALKER = Behavior("Walker?team=0", (Sensor("speeds", (3,)), Sensor("camera", (3, 6, 8), png=True)), n_continuous=2)
CHOOSERS = tuple(
    Behavior(f"Chooser?team={team}", (Sensor("goal", (2,), kind=1), Sensor("others", (2, 3))), branches=(3, 2))
    for team in range(2)
)
ROBOT = Behavior("Robot", (Sensor("", (2,)), Sensor("stack", (2, 6, 8), png=True)), n_continuous=1, branches=(2,))
MIRROR = Behavior("Mirror?team=0", (Sensor("last", (4,)),), n_continuous=1, branches=(3, 4))


def write_scripted_player(path: Path, scene: str, *arguments: object) -> Path:
    """Writes an executable that plays a scene."""
    command = " ".join([sys.executable, __file__, scene, *map(str, arguments)])
    paths = os.pathsep.join(filter(None, (str(Path(__file__).parents[1] / "envs"), os.environ.get("PYTHONPATH"))))
    path.write_text(f'#!/bin/sh\nPYTHONPATH={paths} exec {command} "$@"\n', "utf-8")
    path.chmod(0o755)
    return path


def info(behavior, agent, random, **others):
    """An `AgentInfo` with drawn observations, as bytes; fields that are not given are zero."""
    observations = others.pop("observations", None) or [observation(sensor, random) for sensor in behavior.sensors]
    mask = others.pop("mask", None)
    if mask is not None:
        others["action_mask"] = np.asarray(mask, np.bool_).tobytes()
    return messages.new("AgentInfo", id=agent, observations=observations, **others).SerializeToString()


def observation(sensor, random, values=None):
    """An `Observation`; pictures are drawn as well."""
    known = {"shape": sensor.shape, "observation_type": sensor.kind, "name": sensor.name}
    if sensor.png:
        channels = 3 * -(-sensor.shape[0] // 3)
        pictures = random.integers(0, 256, (channels // 3 * (2 if sensor.shape[0] == 2 else 1), *sensor.shape[1:], 3))
        mapping = [0, 0, 0, 1, 1, 1] if sensor.shape[0] == 2 else []
        return messages.new(
            "Observation",
            **known,
            compression_type=1,
            compressed_data=b"".join(map(_png, pictures.astype(np.uint8))),
            compressed_channel_mapping=mapping,
        )
    numbers = random.standard_normal(sensor.shape) if values is None else np.asarray(values)
    return messages.new(
        "Observation", **known, float_data=messages.new("FloatData", data=numbers.astype("<f4").tobytes())
    )


def _png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def describe(behaviors):
    """What a message says about behaviours that are new."""
    return messages.new(
        "RLInitializationOutput",
        brain_parameters=[
            messages.new(
                "BrainParameters",
                name=behavior.name,
                action_spec=messages.new(
                    "ActionSpec",
                    n_continuous=behavior.n_continuous,
                    n_discrete=len(behavior.branches),
                    branch_sizes=behavior.branches,
                ),
            )
            for behavior in behaviors
        ],
    )


def message(infos, described=(), side_channel=b""):
    """A step's message: for each behaviour's name its `AgentInfo`s."""
    lists = {name: b"".join(tagged(1, row) for row in rows) for name, rows in infos.items()}
    output = {"rl_output": messages.new("RLOutput", agent_infos=lists, side_channel=side_channel)}
    if described:
        output["rl_initialization_output"] = describe(described)
    header = messages.new("Header", status=messages.OK)
    return messages.new("Envelope", header=header, unity_output=messages.new("Output", **output)).SerializeToString()


def menagerie(n_messages=40):
    """All kinds of observations and actions; agents that come and go, in groups, and do not always ask."""
    welcome = environment_side.read_welcome((yield environment_side.greeting("Menagerie")))
    random = np.random.default_rng(welcome.seed)
    behaviors = (WALKER, *CHOOSERS, ROBOT)
    agents = {behavior.name: list(range(10 * n, 10 * n + 4)) for n, behavior in enumerate(behaviors)}
    waiting = {behavior.name: 0 for behavior in behaviors}
    new_id = 100
    yield environment_side.ready()
    for number in range(n_messages):
        infos = {behavior.name: [] for behavior in behaviors}
        for behavior in behaviors:
            for place, agent in enumerate(list(agents[behavior.name])):
                others = {"reward": float(np.round(random.normal(), 3)) if random.random() < 0.5 else 0.0}
                if behavior in CHOOSERS:
                    others |= {"group_id": 1 + place // 2, "group_reward": float(random.integers(3))}
                    others["mask"] = [*random.permutation([True, True, False]).tolist(), random.random() < 0.5, False]
                if number and random.random() < 0.15:
                    others.pop("mask", None)
                    others |= {"done": True, "max_step_reached": bool(random.random() < 0.5)}
                    agents[behavior.name].remove(agent)
                    waiting[behavior.name] += 1
                    infos[behavior.name].append(info(behavior, agent, random, **others))
                elif number == 0 or random.random() < 0.8:
                    infos[behavior.name].append(info(behavior, agent, random, **others))
            while waiting[behavior.name] and random.random() < 0.6:
                waiting[behavior.name] -= 1
                new_id *= 1 + int(random.random() < 0.1)  # so that ids are of several lengths
                new_id += 1
                agents[behavior.name].append(new_id)
                infos[behavior.name].append(info(behavior, new_id, random))
        yield message(infos, behaviors if number == 0 else ())
    yield environment_side.stopping()


def mirror(n_agents=3, keeps_ids=0):
    """Agents see their last action and their number; from the second message on some do not ask, some end.

    The reward is 1 for the action `[0.5, 2, 3]`, and what an agent earns while it does not ask comes with its next row.
    """
    answer = yield environment_side.greeting("Mirror")
    random = np.random.default_rng(environment_side.read_welcome(answer).seed)
    scribe = environment_side.Scribe([MIRROR])
    answer = yield environment_side.ready()
    described, ids, next_id, n_agents = (MIRROR,), [], 0, int(n_agents)
    last, earned = {}, {}
    while True:
        instruction = scribe.read(answer)
        if instruction is None:
            return
        if instruction.reset:
            if not (int(keeps_ids) and ids):
                ids, next_id = list(range(next_id, next_id + n_agents)), next_id + n_agents
            asking, done = list(ids), []
            last, earned = {agent: [0.0, 0, 0] for agent in ids}, dict.fromkeys(ids, 0.0)
        else:
            given = instruction.actions.get(MIRROR.name)
            for place, agent in enumerate(asking):
                last[agent] = [float(given.continuous[place, 0]), *given.discrete[place].tolist()]
            for agent in ids:
                earned[agent] += float(last[agent] == [0.5, 2, 3])
            done = [agent for agent in ids if random.random() < 0.1]
            kept = [agent for agent in ids if agent not in done]
            new = list(range(next_id, next_id + len(done)))
            next_id += len(done)
            last |= {agent: [0.0, 0, 0] for agent in new}
            earned |= dict.fromkeys(new, 0.0)
            asking = [agent for agent in kept if random.random() < 0.7] + new
            ids = kept + new
        rows = []
        for agent in done + asking:
            ending = {"done": True, "max_step_reached": bool(agent % 2)} if agent in done else {}
            seen = [observation(MIRROR.sensors[0], random, [agent, *last[agent]])]
            rows.append(info(MIRROR, agent, random, observations=seen, reward=earned[agent], **ending))
            earned[agent] = 0.0
        answer = yield message({MIRROR.name: rows}, described if rows else ())
        described = () if rows else described


def told(n_steps=0):
    """Reports what it was told, as statistics: every side channel message's length by channel."""
    from mlagents_bridge import side_channels

    welcome = environment_side.read_welcome((yield environment_side.greeting("Told")))
    answer = yield environment_side.ready()
    random = np.random.default_rng(0)
    unknown = side_channels.Message(side_channels.uuid.UUID(int=7), b"what is this")
    described = (MIRROR,)
    while (instruction := environment_side.Scribe([MIRROR]).read(answer)) is not None:
        statistics = [
            side_channels.statistic("Seed", welcome.seed),
            side_channels.statistic("Areas", welcome.n_areas, side_channels.Aggregation.MOST_RECENT),
            side_channels.statistic("Steps", 1, side_channels.Aggregation.SUM),
        ]
        for beside in side_channels.unpack(instruction.side_channel):
            if beside.channel == side_channels.PARAMETERS:
                parameter = side_channels.read_parameter(beside.content)
                statistics += [
                    side_channels.statistic(f"{parameter.name}/{place}", value)
                    for place, value in enumerate(parameter.value)
                ]
            elif beside.channel == side_channels.ENGINE:
                setting, values = side_channels.read_engine_setting(beside.content)
                statistics.append(side_channels.statistic(setting.name, values[0]))
        rows = {MIRROR.name: [info(MIRROR, 0, random)]}
        answer = yield message(rows, described, side_channels.pack([unknown, *statistics]))
        described = ()


def faulty(fault, n_steps=2):
    """Plays properly for some steps, and then does something else."""
    random = np.random.default_rng(0)
    if fault == "other_program":
        yield messages.new("Envelope").SerializeToString()
    greeting = messages.parse("Envelope", environment_side.greeting("Faulty"))
    if fault == "other_version":
        greeting.unity_output.rl_initialization_output.communication_version = "0.15.0"
    yield greeting.SerializeToString()
    yield environment_side.ready()
    for number in range(int(n_steps) + 1):
        yield message({MIRROR.name: [info(MIRROR, 0, random)]}, (MIRROR,) if number == 0 else ())
    wide = Behavior(MIRROR.name, (Sensor("last", (5,)),), 1, (3, 4))
    nan = [observation(MIRROR.sensors[0], random, [0, np.nan, 0, 0])]
    if fault == "dies":
        print("the scene is missing", flush=True)
        sys.exit(3)
    if fault == "is_killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "hangs":
        time.sleep(600)
    faults = {
        "bytes": b"\xff\xff\xff",
        "list": message({MIRROR.name: [b"\xff\xff\xff"]}),
        "shape": message({MIRROR.name: [info(wide, 0, random)]}),
        "nan": message({MIRROR.name: [info(MIRROR, 0, random, observations=nan)]}),
        "reward": message({MIRROR.name: [info(MIRROR, 0, random, reward=float("inf"))]}),
        "mask": message({MIRROR.name: [info(MIRROR, 0, random, mask=[True])]}),
        "behavior": message({"Stranger": [info(MIRROR, 0, random)]}),
        "side_channel": message({MIRROR.name: [info(MIRROR, 0, random)]}, (), b"\1\2\3"),
        "quits": environment_side.stopping(),
        "terminal_only": message({}),
    }
    while True:
        yield faults[fault]


def late():
    """An agent that is not there in the first messages."""
    random = np.random.default_rng(0)
    yield environment_side.greeting("Late")
    yield environment_side.ready()
    yield message({MIRROR.name: []})
    yield message({})
    yield message({MIRROR.name: [info(MIRROR, 8, random)]}, (MIRROR,))
    while True:
        yield message({MIRROR.name: [info(MIRROR, 8, random)]})


def replay(path):
    """The messages of a recording, whatever is answered."""
    for content in read_recording(Path(path)):  # noqa: UP028  # a list takes no answers
        yield content


def echo(n_agents):
    """The same step of Snowball Fight for ever, for measurements."""
    from mlagents_bridge.behaviors import AgentRows, Exchange

    sizes = {"opponents": 30, "surroundings": 50, "snowballs": 30, "backward": 12, "own": 7}
    sensors = tuple(Sensor(name, (size,)) for name, size in sizes.items())
    behavior = Behavior("SnowballFight?team=0", sensors, branches=(3, 3, 3, 2))
    n, random = int(n_agents), np.random.default_rng(0)
    rows = AgentRows(
        ids=np.arange(n, dtype=np.int32),
        observations=tuple(random.random((n, *sensor.shape), np.float32) for sensor in sensors),
        rewards=np.zeros(n, np.float32),
        done=np.zeros(n, np.bool_),
        interrupted=np.zeros(n, np.bool_),
        group_ids=np.zeros(n, np.int32),
        group_rewards=np.zeros(n, np.float32),
    )
    scribe = environment_side.Scribe([behavior])
    first, again = (scribe.write(Exchange({behavior.name: rows})) for _ in range(2))
    yield environment_side.greeting("Echo")
    yield environment_side.ready()
    answer = yield first
    stop = b"\x08" + varint(messages.STOP)  # the status in a header
    while stop not in answer[:8]:
        answer = yield again


SCENES = {scene.__name__: scene for scene in (menagerie, mirror, told, faulty, late, replay, echo)}


def read_recording(path):
    """The messages of a file, each preceded by its length in four bytes."""
    content, place, found = path.read_bytes(), 0, []
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], "little")
        found.append(content[place + 4 : place + 4 + length])
        place += 4 + length
    return found


def write_recording(path, recorded):
    """The reverse of `read_recording`."""
    path.write_bytes(b"".join(len(content).to_bytes(4, "little") + content for content in recorded))


def main():
    """Plays a scene."""
    import grpc

    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("scene", choices=[*SCENES, "never_connects"])
    parser.add_argument("arguments", nargs="*")
    parser.add_argument("--mlagents-port", type=int, required=True)
    parser.add_argument("-logFile", type=Path, required=True)
    parser.add_argument("-nographics", "-batchmode", action="store_true")
    options, _ = parser.parse_known_args()
    options.logFile.write_text(f"Playing {options.scene}\nat port {options.mlagents_port}\n", "utf-8")
    if options.scene == "never_connects":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path(options.arguments[0]).write_text(str(child.pid), "utf-8")
        time.sleep(600)
    scene = SCENES[options.scene](*options.arguments)
    limits = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{options.mlagents_port}", limits) as channel:
        call = channel.unary_unary(messages.METHOD)
        content, is_first = next(scene), True
        while True:
            try:
                content = scene.send(call(content, wait_for_ready=is_first))
            except (StopIteration, grpc.RpcError):
                return
            is_first = False


if __name__ == "__main__":
    main()
