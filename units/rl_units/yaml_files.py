"""YAML that the Zoo or a stranger wrote, read without running any of it."""

import math
from pathlib import Path
from typing import Any

import yaml

from rl_units.errors import ConfigError

MAX_BYTES = 1_000_000
"""Largest file that is read; the Zoo's own hyperparameter files have about 20 kB."""

_MAX_NODES = 100_000  # aliases unfolded; a few hundred bytes of aliases to aliases stand for billions


class _Loader(yaml.SafeLoader):
    """SafeLoader that also knows the two plain Python containers in the Zoo's `args.yml` and `config.yml`."""


def _ordered_dict(loader: _Loader, node: yaml.Node) -> dict[Any, Any]:
    # PyYAML dumps OrderedDict([(k, v), ...]) as a call with one argument, the list of pairs.
    arguments = loader.construct_sequence(node, deep=True)  # type: ignore[arg-type] # a mapping node raises, which is right
    pairs = arguments[0] if arguments else []
    return {key: value for key, value in pairs}  # noqa: C416 # dict() would take a mapping here


def _tuple(loader: _Loader, node: yaml.Node) -> tuple[Any, ...]:
    return tuple(loader.construct_sequence(node, deep=True))  # type: ignore[arg-type] # a mapping node raises, which is right


_Loader.add_constructor("tag:yaml.org,2002:python/object/apply:collections.OrderedDict", _ordered_dict)
_Loader.add_constructor("tag:yaml.org,2002:python/tuple", _tuple)
# A class among the student's own hyperparameters, for example `activation_fn=nn.ReLU`, is read as its name.
_Loader.add_multi_constructor("tag:yaml.org,2002:python/name:", lambda _loader, suffix, _node: suffix)


def parse_yaml(text: str, source: str) -> dict[str, Any]:
    """Parses a YAML mapping; no tag in it can name anything to run.

    Args:
        text: The document.
        source: What it is called in messages.

    Returns:
        The mapping, keys as strings.

    Raises:
        ConfigError: If it is no YAML, is not a mapping, asks for a Python object, or unfolds beyond all use.
    """
    try:
        document = _load(text)
    except yaml.constructor.ConstructorError as error:
        raise ConfigError(f"{source} is refused: {error.problem or 'it asks for a Python object'}.") from error
    except Exception as error:  # PyYAML's constructors raise whatever they stumble over, `!!int ''` an IndexError
        raise ConfigError(f"{source} is not YAML: {' '.join(str(error).split())[:300]}") from error
    if not isinstance(document, dict):
        raise ConfigError(f"{source} must be a YAML mapping of names to values.")
    return {str(key): value for key, value in document.items()}


def _load(text: str) -> Any:
    """`yaml.load`, with a look at the size before anything is made: keys and merges unfold aliases already there."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _count_nodes(node, {})
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _count_nodes(node: yaml.Node, counted: dict[int, int | None]) -> int:
    """Counts nodes with aliases unfolded; `counted` has None for a node that is being counted."""
    if id(node) not in counted:
        counted[id(node)] = None
        counted[id(node)] = 1 + sum(_count_nodes(child, counted) for child in _children(node))
    number = counted[id(node)]
    if number is None:
        raise yaml.constructor.ConstructorError(problem="it refers to itself")
    if number > _MAX_NODES:
        raise yaml.constructor.ConstructorError(problem="its aliases unfold to more than any configuration holds")
    return number


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def read_yaml(path: Path) -> dict[str, Any]:
    """Reads a YAML mapping from a file; see `parse_yaml`.

    Raises:
        ConfigError: If the file is missing, too large, not UTF-8, or not such a mapping.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path} is larger than {MAX_BYTES:,} bytes, which no configuration is.")
        return parse_yaml(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from error


def plain(value: Any) -> Any:
    """A copy made of dictionaries with string keys, lists, strings, finite numbers, booleans and None only.

    Anything else becomes its text, so that what we write is read by every YAML loader and carries no object.
    """
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(entry) for entry in value]
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)


def dump_yaml(document: dict[str, Any]) -> str:
    """Writes a mapping as plain YAML (see `plain`), keys sorted."""
    return yaml.safe_dump(plain(document), sort_keys=True, allow_unicode=True)
