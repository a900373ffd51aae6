"""All operations, in the order in which they are run and listed."""

from clients.operations import accounts, cards, commits, downloads, files, listings, pushes, repositories, uploads
from clients.operations.context import REGISTERED, Operation

_MODULES = (accounts, repositories, uploads, commits, downloads, files, cards, listings, pushes)

# For each module, by the first line of its docstring, its operations.
GROUPS: dict[str, list[Operation]] = {
    str(module.__doc__).splitlines()[0].removesuffix("."): [
        operation for operation in REGISTERED if operation.function.__module__ == module.__name__
    ]
    for module in _MODULES
}
OPERATIONS = [operation for group in GROUPS.values() for operation in group]
