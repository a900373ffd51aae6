"""From the percent source to the student's notebook."""

import ast

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

EXERCISE = '''# %% tags=["exercise"]
def double(x: float) -> float:
    """Twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION
'''


def test_an_exercise_becomes_a_stub_and_a_folded_solution(builder):
    stub, solution = builder.student_notebook(EXERCISE).cells
    assert "2 * x" not in stub.source
    assert stub.source.endswith(f"return {builder.STUB}")
    assert solution.cell_type == "markdown"
    assert solution.source.startswith("<details>")
    assert "return 2 * x" in solution.source
    assert "###" not in solution.source


def test_an_exercise_without_a_solution_is_refused(builder):
    with pytest.raises(ValueError, match="exercise needs a solution"):
        builder.student_notebook('# %% tags=["exercise"]\nx = 1\n')


def test_a_solution_outside_of_an_exercise_is_refused(builder):
    with pytest.raises(ValueError, match="only an exercise has one"):
        builder.student_notebook("# %%\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n")


def test_a_cell_keeps_its_id_when_another_one_changes(builder):
    before = builder.student_notebook("# %%\nx = 1\n\n# %%\ny = 1\n")
    after = builder.student_notebook("# %%\nx = 2\n\n# %%\ny = 1\n")
    assert before.cells[0].id != after.cells[0].id
    assert before.cells[1].id == after.cells[1].id


def test_equal_cells_have_different_ids(builder):
    first, second = builder.student_notebook("# %%\nx = 1\n\n# %%\nx = 1\n").cells
    assert first.id != second.id


@pytest.mark.parametrize(
    ("line", "shown"),
    [("x = 1  # noqa: S101", "x = 1"), ("x = 1  # noqa: S101 # because", "x = 1  # because"), ("x = 1", "x = 1")],
)
def test_marks_for_the_linter_are_not_shown(builder, line, shown):
    assert builder.student_notebook(f"# %%\n{line}\n").cells[0].source == shown


def test_shell_lines_are_shell_lines_again(builder):
    assert builder.student_notebook("# %%\n# !echo {x}\n").cells[0].source == "!echo {x}"


def test_every_committed_notebook_is_what_its_source_makes(builder):
    for path in builder.lessons():
        made = builder.student_notebook(path.read_text(encoding="utf-8"))
        committed = nbformat.read(path.with_suffix(".ipynb"), as_version=4)
        assert [(cell.cell_type, cell.source, cell.metadata) for cell in committed.cells] == [
            (cell.cell_type, cell.source, cell.metadata) for cell in made.cells
        ]


def test_check_agrees_without_writing(builder):
    assert builder.main(["--check"]) == 0


def test_a_stale_notebook_fails_the_check(builder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(builder, "FOLDER", tmp_path)
    (tmp_path / "lesson.py").write_text("# ---\n# jupyter: {}\n# ---\n\n# %%\nx = 1\n")
    assert builder.main([]) == 0
    (tmp_path / "lesson.py").write_text("# ---\n# jupyter: {}\n# ---\n\n# %%\nx = 2\n")
    assert builder.main(["--check"]) == 1
    assert "lesson.ipynb is out of date" in capsys.readouterr().out


def test_committed_notebooks_hold_no_outputs_and_valid_python(builder):
    to_python = TransformerManager().transform_cell
    for path in builder.lessons():
        for cell in nbformat.read(path.with_suffix(".ipynb"), as_version=4).cells:
            if cell.cell_type == "code":
                assert cell.outputs == []
                assert cell.execution_count is None
                ast.parse(to_python(cell.source))
