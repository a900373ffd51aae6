"""Makes the students' notebooks from the percent sources: `python notebooks/build.py [--check]`.

The source `<name>.py` is what people edit and what the tests run, with the exercises solved. The notebook made from it
has no outputs, ids that change only with their cell, exercises to fill in, and each solution folded away below.
"""

import argparse
import hashlib
import re
import sys
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from rl_units.files import write_text

FOLDER = Path(__file__).parent
STUB = "...  # your code here"

# nbgrader's markers, so that a source can be moved there and back.
_SOLUTION = re.compile(r"^([ \t]*)### BEGIN SOLUTION\n(.*?)\n[ \t]*### END SOLUTION$", re.MULTILINE | re.DOTALL)
_NOQA = re.compile(r" +# noqa: \w+$|(?<= # )noqa: \w+ # ", re.MULTILINE)


def lessons() -> list[Path]:
    """The percent sources in this folder: the Python files that have a notebook's header."""
    return [path for path in sorted(FOLDER.glob("*.py")) if path.read_text(encoding="utf-8").startswith("# ---\n")]


def student_notebook(source: str) -> nbformat.NotebookNode:
    """The notebook that a student opens.

    Args:
        source: Text in the percent format. Cells with the tag `exercise` hold one solution between markers.

    Returns:
        The notebook, valid and without outputs.

    Raises:
        ValueError: If an exercise has no solution, or a solution stands outside of an exercise.
    """
    cells: list[nbformat.NotebookNode] = []
    for cell in jupytext.reads(source, fmt="py:percent").cells:
        tags = cell.metadata.get("tags", [])
        text = _NOQA.sub("", cell.source)
        solution = _SOLUTION.search(text)
        if (solution is None) is ("exercise" in tags):
            raise ValueError(f"An exercise needs a solution between markers, and only an exercise has one:\n{text}")
        if solution is None:
            cells.append(_cell(cell.cell_type, text, tags))
        else:
            cells.append(_cell("code", _SOLUTION.sub(rf"\1return {STUB}", text), tags))
            cells.append(_cell("markdown", _folded(_SOLUTION.sub(r"\2", text)), ["solution"]))
    for place, cell in enumerate(cells):
        cell.id = _cell_id(cell, cells[:place])
    notebook = nbformat.v4.new_notebook(
        cells=cells,
        metadata={
            "accelerator": "GPU",
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
    )
    nbformat.validate(notebook)
    return notebook


def main(arguments: list[str] | None = None) -> int:
    """Writes every notebook, or with `--check` only says which ones are out of date.

    Returns:
        Exit code; 1 if a checked notebook is out of date.
    """
    parser = argparse.ArgumentParser(description="Make the students' notebooks from the percent sources.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a notebook is out of date")
    options = parser.parse_args(arguments)
    stale = 0
    for source in lessons():
        notebook = source.with_suffix(".ipynb")
        text = nbformat.writes(student_notebook(source.read_text(encoding="utf-8"))) + "\n"
        if notebook.is_file() and notebook.read_text(encoding="utf-8") == text:
            continue
        if options.check:
            stale = 1
            print(f"{notebook.name} is out of date; run: python notebooks/build.py")
        else:
            write_text(notebook, text)
            print(f"wrote {notebook.name}")
    return stale


def _cell(kind: str, text: str, tags: list[str]) -> nbformat.NotebookNode:
    make: Any = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    cell: nbformat.NotebookNode = make(text, metadata={"tags": tags} if tags else {})
    return cell


def _folded(solution: str) -> str:
    return f"<details>\n<summary>Solution</summary>\n\n```python\n{solution}\n```\n\n</details>"


def _cell_id(cell: nbformat.NotebookNode, earlier: list[nbformat.NotebookNode]) -> str:
    """Depends on the cell's own text, and on how often the same text stood before."""
    repetition = sum(cell.source == other.source for other in earlier)
    return hashlib.sha256(f"{cell.cell_type}\n{repetition}\n{cell.source}".encode()).hexdigest()[:12]


if __name__ == "__main__":
    sys.exit(main())
