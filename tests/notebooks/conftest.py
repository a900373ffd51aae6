"""The notebooks' sources, and how a test runs one."""

import importlib.util
from pathlib import Path

import jupytext
import nbclient
import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

# IPython goes on after a shell line that failed. Its names start with an underscore, because `{name}` in a shell line
# looks into the caller's variables, too.
GUARD = """
def _guard(_shell):
    _system = _shell.system

    def _checked(_command):
        _system(_command)
        if _shell.user_ns["_exit_code"]:
            raise RuntimeError(f"exit code {_shell.user_ns['_exit_code']} from: {_command}")

    _shell.system = _checked


_guard(get_ipython())
"""


@pytest.fixture(scope="session")
def builder():
    """The module `notebooks/build.py`, which no package holds."""
    specification = importlib.util.spec_from_file_location("notebook_builder", NOTEBOOKS / "build.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def source():
    """The percent source of unit 3's notebook."""
    return (NOTEBOOKS / "unit3_dqn_space_invaders.py").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def run_notebook():
    """Runs a notebook in a folder, with failing shell lines made loud; returns it with its outputs."""

    def run(notebook, folder: Path, parameters: dict | None = None):
        cells = [nbformat.v4.new_code_cell(GUARD)]
        for cell in notebook.cells:
            cells.append(cell)
            if "parameters" in cell.metadata.get("tags", []):
                cells.append(nbformat.v4.new_code_cell("\n".join(f"{k} = {v!r}" for k, v in parameters.items())))
        executed = nbformat.v4.new_notebook(cells=cells)
        nbclient.NotebookClient(
            executed, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
        ).execute()
        return executed

    return run


@pytest.fixture(scope="session")
def read_percent():
    """Turns a percent source into a notebook."""
    return lambda text: jupytext.reads(text, fmt="py:percent")
