"""Loading an agent from wherever it lies, and saving it in the format without pickles."""

import re
from collections.abc import Sequence
from pathlib import Path

from rl_units.agents import normalization, specification
from rl_units.agents.architecture import Space, architecture
from rl_units.agents.archives import MAX_WEIGHT_BYTES, read_file
from rl_units.agents.base import Agent
from rl_units.agents.mlagents_agent import MLAGENTS, MlagentsAgent, load_mlagents_onnx
from rl_units.agents.mlagents_graph import is_mlagents_graph
from rl_units.agents.normalization import NormalizationStatistics, NormalizedAgent
from rl_units.agents.normalization_pickle import read_vec_normalize_pickle
from rl_units.agents.onnx_agent import ONNX_FILE, load_onnx
from rl_units.agents.policies import without_copies
from rl_units.agents.sb3_zip import read_sb3_zip
from rl_units.agents.specification import AgentSpec
from rl_units.agents.torch_agent import TorchAgent, make_torch_agent
from rl_units.agents.weights import read_safetensors, to_safetensors
from rl_units.course import Protocol
from rl_units.environments import agent_spaces
from rl_units.errors import UnsafeAgentError
from rl_units.files import atomic_path, write_text

WEIGHTS_FILE = "agent.safetensors"
_MAX_STATISTICS_BYTES = 8 * 1024**2
_ONNX = ".onnx"


def load_agent(path: Path, protocol: Protocol, *, algo: str | None = None) -> Agent:
    """Loads a trained agent; nothing in its files is unpickled or run.

    Args:
        path: An SB3 zip, or an ONNX file of ours or of ML-Agents; or a folder with `agent.json` and
            `agent.safetensors`, else `agent.onnx`, else `<algo>-<env>.zip` or the only zip there is, else what
            ML-Agents exported, `<env without its version>.onnx` or the only one there is. Normalisation statistics are
            taken from the folder (`vec_normalize.json`, else `vec_normalize.pkl`), and for the model of a Zoo run from
            `<run folder>/<env>/vecnormalize.pkl`, where `<env>` is what the run itself calls the environment; ML-Agents
            keeps its own in the graph.
        protocol: Says which environment; both spaces come from there, never from the agent's files.
        algo: Expected algorithm, `"mlagents"` for what ML-Agents exported; None takes what the weights say.

    Returns:
        The agent.

    Raises:
        UnsafeAgentError: If the files are refused; `reason` names why.
        UserError: If the environment cannot be made.
    """
    if algo not in (None, MLAGENTS):
        architecture(algo)
    observation_space, action_space = agent_spaces(protocol)
    agent: Agent
    if path.is_dir():
        statistics = _statistics(path, [_file_name(protocol.env_id)])
        agent = _load_folder(path, protocol, observation_space, action_space, statistics, algo)
    elif path.suffix == _ONNX:
        statistics = _statistics(path.parent, [_file_name(protocol.env_id)])
        agent = _load_graph(path, observation_space, action_space, statistics, algo)
    else:
        agent = make_torch_agent(
            *read_sb3_zip(path, protocol.env_id, observation_space, algo), observation_space, action_space
        )
        statistics = _statistics(path.parent, _run_names(path, protocol.env_id))
    if algo is not None and agent.algo != algo:
        raise UnsafeAgentError("other-algorithm", f"{path} holds an agent of {agent.algo}, not of {algo}.")
    if statistics is None or isinstance(agent, MlagentsAgent):
        return agent
    statistics.check_space(observation_space)
    return NormalizedAgent(agent, statistics)


def find_weights(folder: Path, env_id: str, algo: str | None = None) -> Path:
    """The file in a folder that `load_agent` takes the weights from, whatever else lies there; nothing is opened.

    Args:
        folder: The folder.
        env_id: The environment that is played.
        algo: Expected algorithm; None for any.

    Raises:
        UnsafeAgentError: `missing-file` if there is none, `ambiguous-folder` if there are several zips, or several
            graphs of ML-Agents.
    """
    for name in (WEIGHTS_FILE, ONNX_FILE):
        if _is_there(folder / name):
            return folder / name
    return _find_zip(folder, env_id, algo) or _find_graph(folder, env_id)


def save_agent(agent: Agent, folder: Path) -> None:
    """Writes `agent.json`, `agent.safetensors` and, for normalised observations, `vec_normalize.json`.

    Args:
        agent: An agent that `load_agent` made from an SB3 zip or from these files.
        folder: Made if it is missing.

    Raises:
        UnsafeAgentError: `no-weights` for an ONNX agent, which has no weights of SB3.
        StorageError: If a file cannot be written.
    """
    network, statistics = network_of(agent)
    weights = to_safetensors(without_copies(network.algo, network.policy))
    with atomic_path(folder / WEIGHTS_FILE) as temporary:
        temporary.write_bytes(weights)
    if statistics is not None:
        write_text(folder / normalization.FILE_NAME, statistics.to_json())
    # Last, because a folder counts as an agent as soon as it has this file.
    write_text(folder / specification.FILE_NAME, network.specification.to_json())


def network_of(agent: Agent) -> tuple[TorchAgent, NormalizationStatistics | None]:
    """The network inside an agent, and its statistics if it has any.

    Raises:
        UnsafeAgentError: `no-weights` for an ONNX agent.
    """
    statistics = agent.statistics if isinstance(agent, NormalizedAgent) else None
    network = agent.agent if isinstance(agent, NormalizedAgent) else agent
    if not isinstance(network, TorchAgent):
        raise UnsafeAgentError(
            "no-weights", "This agent is an ONNX graph and can be played only; load it from its zip or safetensors."
        )
    return network, statistics


def _load_folder(
    folder: Path,
    protocol: Protocol,
    observation_space: Space,
    action_space: Space,
    statistics: NormalizationStatistics | None,
    algo: str | None,
) -> Agent:
    specification_file, weights_file = folder / specification.FILE_NAME, folder / WEIGHTS_FILE
    described = None
    if _is_there(specification_file) or _is_there(weights_file):
        described = AgentSpec.from_json(read_file(specification_file, specification.MAX_BYTES))
    file = find_weights(folder, protocol.env_id, algo)
    if described is not None and file == weights_file:
        weights = read_safetensors(read_file(weights_file, MAX_WEIGHT_BYTES), WEIGHTS_FILE)
        return make_torch_agent(described, weights, observation_space, action_space)
    if file.suffix == _ONNX:
        name = described.algo if described is not None else algo
        return _load_graph(file, observation_space, action_space, statistics, name)
    return make_torch_agent(
        *read_sb3_zip(file, protocol.env_id, observation_space, algo), observation_space, action_space
    )


def _load_graph(
    file: Path,
    observation_space: Space,
    action_space: Space,
    statistics: NormalizationStatistics | None,
    algo: str | None,
) -> Agent:
    # Whatever it is called: the judge keeps both kinds under one name.
    if is_mlagents_graph(read_file(file, MAX_WEIGHT_BYTES)):
        return load_mlagents_onnx(file, observation_space, action_space)
    return load_onnx(file, observation_space, action_space, statistics, None if algo == MLAGENTS else algo)


def _find_zip(folder: Path, env_id: str, algo: str | None) -> Path | None:
    """`<algo>-<env>.zip`, or the only zip in the folder."""
    files = sorted(folder.glob("[!.]*.zip"))  # a write that was killed leaves a name with a dot in front
    named = [file for file in files if file.name.endswith(f"-{env_id.replace('/', '-')}.zip")]
    wanted = [file for file in named if algo is None or file.name.startswith(f"{algo}-")] or named or files
    return _only(wanted, folder) if files else None


def _find_graph(folder: Path, env_id: str) -> Path:
    """`<env without its version>.onnx`, as ML-Agents calls the file by the behaviour, or the only graph there is."""
    files = sorted(folder.glob(f"[!.]*{_ONNX}"))
    named = [file for file in files if file.stem == re.sub(r"-v\d+$", "", _file_name(env_id))]
    if not files:
        raise UnsafeAgentError(
            "missing-file", f"{folder} holds no agent: no agent.json, agent.onnx, zip of SB3 or .onnx of ML-Agents."
        )
    return _only(named or files, folder)


def _only(files: Sequence[Path], folder: Path) -> Path:
    if len(files) > 1:
        raise UnsafeAgentError(
            "ambiguous-folder", f"{folder} holds several agents: {', '.join(file.name for file in files)}; name one."
        )
    return files[0]


def _run_names(model: Path, env_id: str) -> list[str]:
    """What the environment may be called in a run's files, likeliest first: the run may be of an alias of `env_id`."""
    return [re.sub(r"_\d+$", "", model.parent.name), model.stem, _file_name(env_id)]


def _file_name(env_id: str) -> str:
    return env_id.rsplit(":", 1)[-1].replace("/", "-")  # as `runs.file_name`, which stands above this layer


def _statistics(folder: Path, names: Sequence[str]) -> NormalizationStatistics | None:
    file = folder / normalization.FILE_NAME
    if _is_there(file):
        return NormalizationStatistics.from_json(read_file(file, _MAX_STATISTICS_BYTES))
    for file in (folder / "vec_normalize.pkl", *(folder / name / "vecnormalize.pkl" for name in names)):
        if _is_there(file):
            return read_vec_normalize_pickle(file)
    return None


def _is_there(file: Path) -> bool:
    return file.exists() or file.is_symlink()
