"""The notebooks' sources, and how a test runs one."""

import importlib.util
from pathlib import Path

import jupytext
import nbclient
import nbformat
import pytest

from local_hub import LocalHub, User

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
def read_source():
    """Reads the percent source of a notebook."""
    return lambda name: (NOTEBOOKS / f"{name}.py").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Variables that every kernel of a module inherits: its own Hub account, caches and settings."""
    home = tmp_path_factory.mktemp("home")
    with (
        LocalHub(tmp_path_factory.mktemp("hub"), [User("ada", "hf_ada")]) as hub,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("HF_ENDPOINT", hub.endpoint)
        patch.setenv("HF_TOKEN", "hf_ada")
        patch.setenv("HF_HOME", str(home / "huggingface"))
        patch.setenv("IPYTHONDIR", str(home / "ipython"))
        patch.setenv("OMP_NUM_THREADS", "1")
        yield hub


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
