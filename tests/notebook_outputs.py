"""What a notebook that was run shows."""

from collections.abc import Iterator

from nbformat import NotebookNode


def outputs(notebook: NotebookNode) -> Iterator[NotebookNode]:
    """All outputs of all code cells, in order."""
    return (output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs)


def printed(notebook: NotebookNode) -> str:
    """Everything that it printed."""
    return "".join(output.text for output in outputs(notebook) if output.output_type == "stream")


def shown(notebook: NotebookNode, kind: str) -> int:
    """How many outputs it shows of a media type."""
    return sum(kind in output.get("data", {}) for output in outputs(notebook))


def films(notebook: NotebookNode) -> int:
    """How many films it shows, whole within the notebook."""
    pages = (output.get("data", {}).get("text/html", "") for output in outputs(notebook))
    return sum("data:video/mp4;base64," in page for page in pages)
