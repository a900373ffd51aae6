"""Trained agents, loaded without running their code."""

from rl_units.agents.base import Agent, Observations
from rl_units.agents.mlagents_agent import load_mlagents_onnx
from rl_units.agents.onnx_export import export_onnx
from rl_units.agents.repository import find_weights, load_agent, save_agent
from rl_units.agents.sb3_writer import write_sb3_zip, write_vec_normalize
from rl_units.agents.specification import AgentSpec

__all__ = [
    "Agent",
    "AgentSpec",
    "Observations",
    "export_onnx",
    "find_weights",
    "load_agent",
    "load_mlagents_onnx",
    "save_agent",
    "write_sb3_zip",
    "write_vec_normalize",
]
