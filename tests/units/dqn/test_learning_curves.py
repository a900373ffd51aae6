"""`make learning-curves`: the toy game's rules, what the table says, and going on after an interruption."""

from dataclasses import replace

import gymnasium as gym
import matplotlib.image
import numpy as np
import pytest
import torch as th
from gymnasium.utils.env_checker import check_env
from matplotlib.colors import to_rgb

from learning_curves import __main__ as command
from learning_curves import runs
from learning_curves.comparison import Comparison, difference, interval, report
from learning_curves.figure import STYLES
from learning_curves.games import ATARI, TOY
from learning_curves.runs import OURS, SB3, Plan, Result, Side, fingerprint, kept_result, play, run
from learning_curves.toy_game import BALLS, COLUMNS, FallingBalls
from rl_units.dqn.algorithm import FastDQN

SHORT = replace(TOY, n_games=2, n_slots=2)


def landing(game):
    """Where the ball comes down, for who knows to which side it moves."""
    (row, column), drift = game.ball, game.drift
    for _ in range(COLUMNS - 1 - row):
        drift = drift if 0 <= column + drift < COLUMNS else -drift
        column += drift
    return column


def caught(player, n_games=20):
    """The share of balls that a player, who says a column to go to, catches."""
    game, total = FallingBalls(), 0.0
    for seed in range(n_games):
        game.reset(seed=seed)
        over = False
        while not over:
            _, reward, over, _, _ = game.step(1 + np.sign(player(game) - game.paddle))
            total += reward
    return total / n_games / BALLS


def test_the_toy_game_is_an_environment_of_images():
    check_env(FallingBalls(), skip_render_check=True)


def test_who_knows_a_balls_direction_catches_all_and_who_does_not_far_fewer():
    rng = np.random.default_rng(0)

    assert caught(landing) == 1.0
    assert caught(lambda game: game.ball[1]) < 0.7
    assert caught(lambda game: game.paddle + rng.integers(-1, 2)) < 0.3


def test_one_frame_shows_ball_and_paddle_and_two_the_direction():
    game = FallingBalls()
    image, _ = game.reset(seed=3)
    game.drift = -game.drift
    assert np.array_equal(image, game._image())

    following, *_ = game.step(1)

    assert sorted(np.unique(following)) == [0, 128, 255]
    row, column = game.ball
    assert np.argwhere(following[..., 0] == 255).min(axis=0).tolist() == [4 * row, 4 * column]


def test_a_seed_gives_the_same_game_again():
    games = [FallingBalls(), FallingBalls()]
    frames = [[game.reset(seed=7)[0], *(game.step(step % 3)[0] for step in range(60))] for game in games]

    np.testing.assert_array_equal(*frames)


@pytest.mark.parametrize(("steps", "starts", "buffer"), [(100_000, 1000, 50_000), (10_000_000, 100_000, 100_000)])
def test_the_courses_settings_fit_a_small_budget(steps, starts, buffer):
    settings = ATARI.settings(steps)

    assert (settings["learning_starts"], settings["buffer_size"]) == (starts, buffer)


@pytest.mark.parametrize("game", [TOY, ATARI], ids=["toy", "atari"])
def test_games_are_evaluated_on_full_games_and_unclipped_rewards(game):
    env = game.make(1, 1, False)
    wrappers = env.unwrapped.envs[0]
    names = set()
    while isinstance(wrappers, gym.Wrapper):
        names.add(type(wrappers).__name__)
        wrappers = wrappers.env
    env.close()

    assert not names & {"ClipRewardEnv", "EpisodicLifeEnv"}
    assert env.observation_space.shape[-1] == 4


def test_random_play_catches_few_balls_in_as_many_games_as_are_asked_for():
    model = FastDQN(env=TOY.make(1, 1, True), **TOY.settings(20))
    returns = play(model, replace(TOY, n_games=6, n_slots=3, epsilon=1.0), 1)

    assert len(returns) == 6
    assert 0 <= np.mean(returns) < 4


def test_evaluations_leave_a_training_as_it_would_be_without(monkeypatch, tmp_path):
    models = []

    def algorithm(**settings):
        models.append(FastDQN(**settings))
        return models[-1]

    for points in (1, 4):
        monkeypatch.setattr(runs, "POINTS", points)
        run(Plan(SHORT, Side("ours", "ours", algorithm, 2, {}), 1, 48, 1), tmp_path / str(points), [].append)

    seldom, often = (th.cat([weights.flatten() for weights in model.q_net.parameters()]) for model in models)
    assert th.equal(seldom, often)


def test_intervals_are_students_and_welchs():
    values = np.array([1.0, 2.0, 3.0])
    mean, half = interval(values)
    assert (float(mean), float(half)) == pytest.approx((2.0, 4.302653 / 3**0.5))

    # Three seeds of equal variance on both sides: 4 degrees of freedom.
    mean, half = difference(values + 4, values)
    assert (float(mean), float(half)) == pytest.approx((4.0, 2.776445 * (2 / 3) ** 0.5))

    mean, half = difference(np.full(3, 4.0), np.full(3, 1.0))
    assert (float(mean), float(half)) == (3.0, 0.0)


def test_the_table_has_the_numbers_of_the_results(monkeypatch):
    monkeypatch.setattr(runs, "POINTS", 1)
    plans = [Plan(TOY, SB3, seed, 2000, 1) for seed in (1, 2, 3)]
    theirs = [Result([[0.0, 2.0], [value - 1, value + 1]], seconds=60.0) for value in (4.0, 5.0, 6.0)]
    ours = [Result([[1.0, 1.0], [value, value]], seconds=30.0) for value in (5.0, 5.0, 5.0)]

    rows = [line for line in report([Comparison(plans, theirs, ours)]).splitlines() if line.startswith("|")]

    assert rows == [
        "| Steps | SB3 | ours | ours - SB3 |",
        "|---:|---:|---:|---:|",
        "| 0 | 1.00 ± 0.00 | 1.00 ± 0.00 | 0.00 ± 0.00 |",
        "| 2,000 | 5.00 ± 2.48 | 5.00 ± 0.00 | 0.00 ± 2.48 |",
        "| mean after the start | 5.00 ± 2.48 | 5.00 ± 0.00 | 0.00 ± 2.48 |",
        "| seconds of training | 60.00 ± 0.00 | 30.00 ± 0.00 | -30.00 ± 0.00 |",
    ]


def series(folder):
    command.main(["--seeds", "2", "--toy-steps", "32", "--atari-steps", "0", "--out", str(folder)])


def test_an_interrupted_series_goes_on_and_is_drawn(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(runs, "POINTS", 2)
    monkeypatch.setattr(command, "GAMES", (SHORT,))
    folder, evaluations, interrupted_at = tmp_path / "runs", [], 8

    def counted(*arguments):
        evaluations.append(arguments)
        if len(evaluations) == interrupted_at:
            raise KeyboardInterrupt
        return play(*arguments)

    monkeypatch.setattr(runs, "play", counted)
    with pytest.raises(KeyboardInterrupt):
        series(tmp_path)
    finished = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert len(finished) == 2

    series(tmp_path)

    assert "4 trainings, 2 of them finished" in capsys.readouterr().out
    assert len(evaluations) == interrupted_at + 2 * 3
    assert len(list(folder.iterdir())) == 4
    assert all((folder / name).read_bytes() == content for name, content in finished.items())
    assert "| 32 |" in (tmp_path / "learning-curves.md").read_text("utf-8")
    pixels = matplotlib.image.imread(tmp_path / "learning-curves.png")[..., :3]
    for colour, _ in STYLES.values():
        assert (np.abs(pixels - to_rgb(colour)).max(axis=-1) < 0.02).any()


def test_a_result_under_other_conditions_is_not_taken(monkeypatch, tmp_path):
    monkeypatch.setattr(runs, "POINTS", 1)
    plan = Plan(SHORT, OURS, 1, 16, 1)
    result = run(plan, tmp_path, [].append)

    assert kept_result(plan, tmp_path) == result
    assert kept_result(replace(plan, game=replace(SHORT, epsilon=0.5)), tmp_path) is None
    assert kept_result(replace(plan, seed=2), tmp_path) is None
    assert kept_result(replace(plan, side=replace(OURS, versions={"rl_units.dqn": "other"})), tmp_path) is None


def test_code_is_told_from_changed_code_but_not_by_its_comments(tmp_path):
    found = []
    for code in ("a = 1\n", "a = 1  # one\n", "a = 2\n"):
        (tmp_path / "code.py").write_text(code)
        found.append(fingerprint([tmp_path / "code.py"]))

    assert found[0] == found[1] != found[2]
