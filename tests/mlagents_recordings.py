"""Makes the recorded exchanges in `tests/data/mlagents/exchanges/`, and what stock ML-Agents reads in them.

python tests/mlagents_recordings.py record                     # with the course's environment
MLAGENTS_PYTHON tests/mlagents_recordings.py decode            # with ML-Agents' own
"""

import sys
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "data" / "mlagents" / "exchanges"
MENAGERIE = FOLDER / "menagerie.messages"
STOCK = FOLDER / "menagerie.npz"
FIELDS = ("ids", "rewards", "group_ids", "group_rewards")
"""Of `AgentRows`, which stock ML-Agents gives for deciding and for terminal agents alike."""


def record():
    """Plays the menagerie to a trainer that always answers with a reset."""
    from mlagents_bridge.behaviors import Instruction
    from mlagents_bridge.protocol import trainer_side
    from mlagents_scripted_player import menagerie, write_recording

    scene = menagerie(n_messages=12)
    recorded = [next(scene), scene.send(trainer_side.welcome(seed=1))]
    instruction = trainer_side.Reader().write(Instruction(reset=True))
    try:
        while True:
            recorded.append(scene.send(instruction))
    except StopIteration:
        write_recording(MENAGERIE, recorded)


def decode():
    """Has ML-Agents read the recording."""
    from mlagents_envs.communicator_objects.unity_message_pb2 import UnityMessageProto
    from mlagents_envs.rpc_utils import behavior_spec_from_proto, steps_from_proto

    from mlagents_scripted_player import read_recording

    specs, decoded = {}, {}
    for number, content in enumerate(read_recording(MENAGERIE)):
        output = UnityMessageProto.FromString(content).unity_output
        infos = output.rl_output.agentInfos
        for parameters in output.rl_initialization_output.brain_parameters:
            specs[parameters.brain_name] = behavior_spec_from_proto(parameters, infos[parameters.brain_name].value[0])
        for name in infos:
            decision, terminal = steps_from_proto(infos[name].value, specs[name])
            here = f"{number}/{name}"
            for kind, steps in (("decision", decision), ("terminal", terminal)):
                values = (steps.agent_id, steps.reward, steps.group_id, steps.group_reward)
                decoded |= {f"{here}/{kind}/{field}": value for field, value in zip(FIELDS, values, strict=True)}
                decoded |= {f"{here}/{kind}/observation_{index}": value for index, value in enumerate(steps.obs)}
            decoded[f"{here}/terminal/interrupted"] = terminal.interrupted
            if decision.action_mask is not None:
                decoded[f"{here}/decision/masks"] = np.concatenate(decision.action_mask, axis=1)
    np.savez_compressed(STOCK, **decoded)


if __name__ == "__main__":
    {"record": record, "decode": decode}[sys.argv[1]]()
