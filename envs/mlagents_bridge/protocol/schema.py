"""The protocol's messages: names, field numbers and types as ML-Agents 1.1.0 has published them.

Long lists of numbers are declared as bytes, which they are on the wire (Protocol Buffers, "Packed repeated fields"); so
numpy reads and writes them at once. The same goes for the lists of agents, which `agent_rows` and `action_rows` write.
"""

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE: Final = "communicator_objects"
_FILE: Final = "rl_classroom/mlagents_bridge.proto"

# Message: (field, number, type). "*" stands for repeated, "map" for a map from strings to bytes.
_MESSAGES: Final[dict[str, tuple[tuple[str, int, str], ...]]] = {
    "Header": (("status", 1, "int32"), ("message", 2, "string")),
    "Capabilities": (
        ("base_rl", 1, "bool"),
        ("concatenated_pngs", 2, "bool"),
        ("channel_mapping", 3, "bool"),
        ("hybrid_actions", 4, "bool"),
        ("training_analytics", 5, "bool"),
        ("variable_length_observations", 6, "bool"),
        ("multi_agent_groups", 7, "bool"),
    ),
    "ActionSpec": (
        ("n_continuous", 1, "int32"),
        ("n_discrete", 2, "int32"),
        ("branch_sizes", 3, "*int32"),
    ),
    "BrainParameters": (
        ("vector_action_size_deprecated", 3, "*int32"),
        ("vector_action_space_type_deprecated", 6, "int32"),
        ("name", 7, "string"),
        ("is_training", 8, "bool"),
        ("action_spec", 9, "ActionSpec"),
    ),
    "FloatData": (("data", 1, "bytes"),),
    "Observation": (
        ("shape", 1, "*int32"),
        ("compression_type", 2, "int32"),
        ("compressed_data", 3, "bytes"),
        ("float_data", 4, "FloatData"),
        ("compressed_channel_mapping", 5, "*int32"),
        ("dimension_properties", 6, "*int32"),
        ("observation_type", 7, "int32"),
        ("name", 8, "string"),
    ),
    "AgentInfo": (
        ("reward", 7, "float"),
        ("done", 8, "bool"),
        ("max_step_reached", 9, "bool"),
        ("id", 10, "int32"),
        ("action_mask", 11, "bytes"),
        ("observations", 13, "*Observation"),
        ("group_id", 14, "int32"),
        ("group_reward", 15, "float"),
    ),
    "AgentInfoList": (("value", 1, "*AgentInfo"),),
    "AgentAction": (
        ("vector_actions_deprecated", 1, "bytes"),
        ("continuous_actions", 6, "bytes"),
        ("discrete_actions", 7, "bytes"),
    ),
    "AgentActionList": (("value", 1, "*AgentAction"),),
    "RLInput": (("agent_actions", 1, "map"), ("command", 4, "int32"), ("side_channel", 5, "bytes")),
    "RLInitializationInput": (
        ("seed", 1, "int32"),
        ("communication_version", 2, "string"),
        ("package_version", 3, "string"),
        ("capabilities", 4, "Capabilities"),
        ("num_areas", 5, "int32"),
    ),
    "Input": (("rl_input", 1, "RLInput"), ("rl_initialization_input", 2, "RLInitializationInput")),
    "RLOutput": (("agent_infos", 2, "map"), ("side_channel", 3, "bytes")),
    "RLInitializationOutput": (
        ("name", 1, "string"),
        ("communication_version", 2, "string"),
        ("log_path", 3, "string"),
        ("brain_parameters", 5, "*BrainParameters"),
        ("package_version", 7, "string"),
        ("capabilities", 8, "Capabilities"),
    ),
    "Output": (("rl_output", 1, "RLOutput"), ("rl_initialization_output", 2, "RLInitializationOutput")),
    "Envelope": (("header", 1, "Header"), ("unity_output", 2, "Output"), ("unity_input", 3, "Input")),
}

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS: Final = {
    "int32": _Field.TYPE_INT32,
    "bool": _Field.TYPE_BOOL,
    "float": _Field.TYPE_FLOAT,
    "string": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
}


def make_classes() -> dict[str, Any]:
    """A class for each message. They live in a pool of their own, beside ML-Agents' if that is loaded as well."""
    file = descriptor_pb2.FileDescriptorProto(name=_FILE, package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field in fields:
            _add_field(message, *field)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES
    }


def _add_field(message: descriptor_pb2.DescriptorProto, name: str, number: int, kind: str) -> None:
    field = message.field.add(name=name, number=number, label=_Field.LABEL_OPTIONAL)
    if kind == "map":
        entry = message.nested_type.add(name="".join(part.title() for part in name.split("_")) + "Entry")
        entry.options.map_entry = True
        _add_field(entry, "key", 1, "string")
        _add_field(entry, "value", 2, "bytes")
        kind = f"*{message.name}.{entry.name}"
    if kind.startswith("*"):
        field.label = _Field.LABEL_REPEATED
        kind = kind[1:]
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type = _Field.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}.{kind}"
