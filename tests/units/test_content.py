"""Every unit's lesson, quiz and pictures."""

import dataclasses
import importlib.util
import re
from pathlib import Path

import pytest
from PIL import Image

from rl_units.course import load_course
from rl_units.errors import ManifestError
from rl_units.lessons import Choice, lesson_values, load_quiz, render_lesson
from rl_units.self_play.settings import SelfPlay
from rl_units.yaml_files import read_yaml

UNITS = load_course().units
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

# A unit may be played before its lesson is written.
every_unit = pytest.mark.parametrize(
    "unit", [unit for unit in UNITS if (unit.folder / "lesson.md").exists()], ids=lambda unit: unit.id
)

QUIZ = """
[[questions]]
id = "sum"
text = "What is 1 + 1?"
choices = [
    {text = "2", correct = true, explanation = "One more than 1."},
    {text = "3", correct = false, explanation = "That is 1 + 2."},
]
"""


def raw_lesson(unit) -> str:
    return (unit.folder / "lesson.md").read_text(encoding="utf-8")


def sentences(text: str) -> set[str]:
    prose = re.sub(r"(?m)^#+ ?", "", text)
    return {
        sentence for part in re.split(r"\n\s*\n|(?<=[.?!:])\s", prose) if len(sentence := " ".join(part.split())) > 60
    }


@pytest.fixture
def empty_unit(tmp_path):
    """The first unit, in an empty folder of its own."""
    return dataclasses.replace(UNITS[0], folder=tmp_path)


@every_unit
def test_a_rendered_lesson_has_no_placeholders_left(unit):
    assert "{{" not in re.sub(r"\$[^$]*\$", "", render_lesson(unit))


@every_unit
def test_a_lesson_shows_the_numbers_of_the_manifest(unit):
    rendered = render_lesson(unit)
    for name in ("environment", "threshold", "episodes", "epsilon", "max_episode_steps"):
        assert lesson_values(unit)[name] in rendered, name


@every_unit
def test_no_number_of_the_manifest_or_the_settings_is_typed_into_the_lesson(unit):
    typed = set(re.findall(r"(?<![\w.,])\d[\d.,]*\d", raw_lesson(unit)))
    values = set(lesson_values(unit).values())
    assert not typed & (values | {value.replace(",", "") for value in values})


@every_unit
def test_a_lesson_explains_every_hyperparameter(unit):
    for path in unit.hyperparameters.values():
        for section in read_yaml(path).values():
            for name in section:
                assert f"`{name}`" in raw_lesson(unit), name


@every_unit
def test_a_lesson_uses_every_picture_and_says_in_words_what_it_shows(unit):
    used = dict(reversed(found) for found in re.findall(r"!\[(.*?)\]\((.*?)\)", raw_lesson(unit), re.DOTALL))
    assert set(used) == {f"pictures/{path.name}" for path in (unit.folder / "pictures").iterdir()}
    assert all(len(words) > 40 for words in used.values())


@every_unit
def test_pictures_are_small_pngs_with_their_own_background(unit):
    for path in (unit.folder / "pictures").iterdir():
        with Image.open(path) as picture:
            assert picture.format == "PNG"
            assert picture.convert("RGBA").getextrema()[3] == (255, 255)
        assert path.stat().st_size < 60_000, path.name


@every_unit
def test_a_unit_has_a_notebook_and_the_table_names_it(unit):
    assert (NOTEBOOKS / f"{unit.notebook}.py").is_file()
    assert f"({unit.notebook}.ipynb)" in (NOTEBOOKS / "README.md").read_text(encoding="utf-8")


@every_unit
def test_no_long_sentence_stands_in_both_lesson_and_notebook(unit):
    notebook = re.sub(r"(?m)^# ?", "", (NOTEBOOKS / f"{unit.notebook}.py").read_text(encoding="utf-8"))
    assert not sentences(raw_lesson(unit)) & sentences(notebook)


@every_unit
def test_the_picture_script_draws_exactly_the_pictures_of_the_lesson(unit, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(NOTEBOOKS)  # as `python notebooks/pictures.py` does it
    specification = importlib.util.spec_from_file_location("lesson_pictures", NOTEBOOKS / "pictures.py")
    pictures = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(pictures)
    pictures.DRAWN[unit.id](tmp_path)
    kept = unit.folder / "pictures"
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in kept.iterdir()}


def test_an_unknown_placeholder_is_named(empty_unit):
    (empty_unit.folder / "lesson.md").write_text("Play {{ many }} games.")
    with pytest.raises(ManifestError, match="'many', which is not a value of the unit; there are: dqn"):
        render_lesson(empty_unit)


def test_formulas_are_left_alone(empty_unit):
    formula = r"$\mathbb{{R}}$ and $x_{{i}}$"
    (empty_unit.folder / "lesson.md").write_text(formula)
    assert render_lesson(empty_unit) == formula


def test_a_missing_lesson_is_named(empty_unit):
    with pytest.raises(ManifestError, match=r"lesson\.md cannot be read"):
        render_lesson(empty_unit)


def test_a_unit_without_a_required_assignment_has_no_numbers(empty_unit):
    with pytest.raises(ManifestError, match="no required assignment"):
        lesson_values(dataclasses.replace(empty_unit, assignments=()))


@every_unit
def test_a_quiz_has_eight_to_ten_questions(unit):
    assert 8 <= len(load_quiz(unit).questions) <= 10


@every_unit
def test_the_first_choice_is_not_always_right(unit):
    questions = load_quiz(unit).questions
    assert 0 < sum(0 in question.correct for question in questions) < len(questions)


def test_the_pictures_tell_of_self_play_as_it_is_by_default():
    assert SelfPlay().window == 10, "the lesson says so in the words for its pictures"
    assert SelfPlay().latest_ratio == 0.5


def test_the_lesson_tells_of_the_opponents_that_the_recipe_draws():
    recipe = read_yaml(load_course().unit("snowball_fight").hyperparameters["ppo"])["SnowballFight-v0"]
    assert sorted(recipe["env_kwargs"]["opponent"]) == ["aim_and_shoot", "aim_and_shoot", "random", "still"]


def test_the_question_about_a_short_budget_fits_the_settings():
    settings = read_yaml(load_course().unit("unit3_dqn_atari").hyperparameters["dqn"])["atari"]
    assert settings["n_timesteps"] / 100 <= settings["learning_starts"]


def test_a_quiz_is_read(empty_unit):
    (empty_unit.folder / "quiz.toml").write_text(QUIZ)
    (question,) = load_quiz(empty_unit).questions
    assert question.correct == {0}
    assert question.choices[1] == Choice("3", correct=False, explanation="That is 1 + 2.")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("[[questions]]", "[[questions", "not a quiz"),
        ("[[questions]]", "[[answers]]", "expected the keys questions, found answers"),
        ('id = "sum"', "", "expected the keys choices, id, text, found choices, text"),
        ('id = "sum"', 'id = "sum"\npoints = 3', "found choices, id, points, text"),
        ('"What is 1 + 1?"', "2", "texts must be strings"),
        ('"What is 1 + 1?"', '" "', "texts must be strings that are not empty"),
        ("correct = true", 'correct = "yes"', "must be true or false"),
        ("correct = true", "correct = false", "needs a right choice and a wrong one"),
        ("correct = false", "correct = true", "needs a right choice and a wrong one"),
        ('text = "3"', 'text = "2"', "offers the same choice twice"),
        (QUIZ, "questions = 3", "must be lists of tables"),
        (QUIZ, "questions = []", "at least one entry"),
        (QUIZ, QUIZ + QUIZ, "names a question more than once"),
    ],
)
def test_a_malformed_quiz_is_refused_with_its_reason(empty_unit, old, new, reason):
    (empty_unit.folder / "quiz.toml").write_text(QUIZ.replace(old, new))
    with pytest.raises(ManifestError, match=reason):
        load_quiz(empty_unit)


def test_a_missing_quiz_is_named(empty_unit):
    with pytest.raises(ManifestError, match=r"quiz\.toml cannot be read"):
        load_quiz(empty_unit)


def test_the_fast_file_of_the_atari_unit_differs_in_its_start_and_its_budget_alone():
    folder = next(unit.folder for unit in UNITS if unit.number == 3)
    classic, fast = (read_yaml(folder / f"{name}.yml")["atari"] for name in ("dqn", "dqn_fast"))

    assert {name for name in classic if fast[name] != classic[name]} == {"n_timesteps", "learning_starts"}
    assert fast.keys() == classic.keys()
