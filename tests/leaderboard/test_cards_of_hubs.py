import dataclasses
import json
import math
import time

import pytest
import yaml
from huggingface_hub import EvalResult, ModelCardData
from hypothesis import given
from hypothesis import strategies as st

from rl_leaderboard.rules.algorithms import algorithm_in
from rl_leaderboard.rules.claims import LIMIT, Claim
from rl_leaderboard.sources.cards import Described, describe, parse_readme
from rl_units.course import Protocol
from rl_units.model_card import CLASS_NAMES, Card, card_metadata, render_card
from rl_units.results import EvaluationResult

INVADERS = "SpaceInvadersNoFrameskip-v4"
ENV_IDS = frozenset(
    {
        INVADERS,
        "PongNoFrameskip-v4",
        "LunarLander-v2",
        "LunarLander-v3",
        "Taxi-v3",
        "FrozenLake-v1-4x4-no_slippery",
        "doom_health_gathering_supreme",
        "SnowballFight1vs1",
    }
)


def metric(value="258.23 +/- 18.19", kind="mean_reward", **more):
    return {"type": kind, "value": value, "name": "mean_reward", "verified": False, **more}


def result(*metrics, env_id=INVADERS, **changed):
    return {
        "task": {"type": "reinforcement-learning", "name": "reinforcement-learning"},
        "dataset": {"name": env_id, "type": env_id},
        "metrics": list(metrics),
        **changed,
    }


def card(*results, name="DQN", **more):
    return {"model-index": [{"name": name, "results": list(results)}], **more}


def describe_card(card_data, tags=None):
    return describe(card_data, tags, ENV_IDS)


def scores(described):
    return {claim.env_id: (claim.mean, claim.std) for claim in described.claims}


def one_claim(card_data, tags=None):
    (claim,) = describe_card(card_data, tags).claims
    return claim


SB3 = card_metadata("dqn", INVADERS, 451.5, 120.25)
Q_LEARNING = card(
    result(metric("7.56 +/- 2.71"), env_id="Taxi-v3"),
    name="q-Taxi-v3",
    tags=["Taxi-v3", "q-learning", "reinforcement-learning", "custom-implementation"],
)
FROZEN_LAKE = card(
    result(metric("1.00 +/- 0.00"), env_id="FrozenLake-v1-4x4-no_slippery"),
    name="q-FrozenLake-v1-4x4-noSlippery",
    tags=["FrozenLake-v1-4x4-no_slippery", "q-learning", "reinforcement-learning", "custom-implementation"],
)
CLEANRL = card(
    result(metric("-12.10 +/- 20.55"), env_id="LunarLander-v2"),
    name="PPO",
    library_name="cleanrl",
    tags=["LunarLander-v2", "deep-reinforcement-learning", "reinforcement-learning", "custom-implementation"],
)
SAMPLE_FACTORY = card(
    result(metric("11.59 +/- 5.10"), env_id="doom_health_gathering_supreme"),
    name="APPO",
    library_name="sample-factory",
    tags=["deep-reinforcement-learning", "reinforcement-learning", "sample-factory"],
)


@pytest.mark.parametrize(
    ("card_data", "expected", "algorithm", "library"),
    [
        (SB3, {INVADERS: (451.5, 120.25)}, "DQN", "stable-baselines3"),
        (Q_LEARNING, {"Taxi-v3": (7.56, 2.71)}, "Q-Learning", ""),
        (FROZEN_LAKE, {"FrozenLake-v1-4x4-no_slippery": (1.0, 0.0)}, "Q-Learning", ""),
        (CLEANRL, {"LunarLander-v2": (-12.1, 20.55)}, "PPO", "cleanrl"),
        (SAMPLE_FACTORY, {"doom_health_gathering_supreme": (11.59, 5.1)}, "APPO", "sample-factory"),
    ],
    ids=["sb3", "q-learning", "frozen-lake", "cleanrl", "sample-factory"],
)
def test_every_writer_of_the_course_is_read(card_data, expected, algorithm, library):
    described = describe_card(card_data, card_data["tags"])
    assert scores(described) == expected
    assert (described.algorithm, described.library) == (algorithm, library)
    assert [claim.problem for claim in described.claims] == [""]
    assert parse_readme(f"---\n{yaml.safe_dump(card_data)}---\n# Agent\n", ENV_IDS) == described


ML_AGENTS_TAGS = [
    "SnowballFight1vs1",
    "deep-reinforcement-learning",
    "reinforcement-learning",
    "ML-Agents-SnowballFight1vs1",
]


@pytest.mark.parametrize(
    "tags",
    [
        ML_AGENTS_TAGS,
        ", ".join(ML_AGENTS_TAGS),
        [", ".join(ML_AGENTS_TAGS)],
        ["ML-Agents-SnowballFight1vs1"],
        "ML-Agents-SnowballFight1vs1",
        [" SnowballFight1vs1 "],
    ],
)
@pytest.mark.parametrize("in_card", [True, False])
def test_ml_agents_names_an_environment_and_no_score(tags, in_card):
    data = {"library_name": "ml-agents", **({"tags": tags} if in_card else {})}
    described = describe_card(data, None if in_card else tags)
    sentence = "The model card names SnowballFight1vs1 but claims no score."
    assert described == Described((Claim("SnowballFight1vs1", None, None, None, sentence),), "", "ml-agents")


def test_our_own_card_is_read():
    measured = EvaluationResult(
        env_id=INVADERS,
        algo="dqn",
        protocol_id="space-invaders",
        protocol_version=3,
        returns=(331.25, 571.75),
        lengths=(10, 20),
        seeds=(1000, 1001),
        is_deterministic=False,
        epsilon=0.01,
        agent_sha256="0" * 64,
        evaluated_at="2026-01-01T00:00:00+00:00",
        versions={"torch": "2.13.0"},
    )
    text = render_card(
        Card(
            repo_id=f"ada/dqn-{INVADERS}",
            default_name=True,
            endpoint=None,
            protocol=Protocol("space-invaders", 3, INVADERS, n_episodes=2),
            result=measured,
            train_command="python -m rl_units train",
            config={"policy": "CnnPolicy"},
        )
    )
    described = parse_readme(text, ENV_IDS)
    assert described == Described((Claim(INVADERS, 451.5, 120.25, None, ""),), "DQN", "stable-baselines3")
    assert described.claims[0].score == 331.25


def test_every_algorithm_of_our_own_cards_is_known():
    found = {algo: describe_card(card_metadata(algo, INVADERS, 1, 0)).algorithm for algo in CLASS_NAMES}
    assert found == CLASS_NAMES


def test_a_card_of_the_hub_s_own_client_is_read():
    results = [
        EvalResult(
            task_type="reinforcement-learning",
            dataset_type=INVADERS,
            dataset_name=INVADERS,
            metric_type="mean_reward",
            metric_value=value,
        )
        for value in ("nan +/- nan", 21, "5 +/- 1")
    ]
    data = ModelCardData(model_name="PPO", library_name="stable-baselines3", eval_results=results)
    described = Described((Claim(INVADERS, 21.0, 0.0, None, ""),), "PPO", "stable-baselines3")
    assert describe_card(data.to_dict()) == described
    assert parse_readme(f"---\n{data.to_yaml()}\n---\n", ENV_IDS) == described


@pytest.mark.parametrize("part", ["type", "name"])
def test_either_part_of_the_dataset_names_the_environment(part):
    for other in ("Space Invaders", None, 5):
        names = {"type": other, "name": other, part: INVADERS}
        assert one_claim(card(result(metric(), dataset=names))).mean == 258.23


def test_a_result_is_about_one_environment():
    names = {"type": "LunarLander-v3", "name": "LunarLander-v2"}
    assert scores(describe_card(card(result(metric(), dataset=names)))) == {"LunarLander-v3": (258.23, 18.19)}


def test_environments_that_the_course_does_not_have_are_left_out():
    data = card(
        result(metric(), env_id="CartPole-v1"),
        result(metric(), env_id=INVADERS.lower()),
        tags=["CartPole-v1", INVADERS.upper(), "ML-Agents-Huggy", "ML-Agents-", ""],
    )
    assert describe_card(data, ["Acrobot-v1"]).claims == ()


def test_an_environment_that_no_claim_can_name_is_left_out():
    for env_id in ("x" * 129, "Pong\N{RIGHT-TO-LEFT OVERRIDE}", ""):
        assert describe(card(result(metric(), env_id=env_id), tags=[env_id]), [env_id], {env_id}).claims == ()


def test_each_environment_has_one_claim_those_with_results_first():
    data = card(
        result(metric("1 +/- 0"), env_id="Taxi-v3"),
        result(metric("2 +/- 0"), env_id="LunarLander-v2"),
        tags=["PongNoFrameskip-v4", "LunarLander-v2", INVADERS],
    )
    claims = describe_card(data, [INVADERS, "Taxi-v3"]).claims
    assert [claim.env_id for claim in claims] == ["Taxi-v3", "LunarLander-v2", "PongNoFrameskip-v4", INVADERS]
    assert claims[2].problem == (
        "The model card names PongNoFrameskip-v4 but claims no score: its model-index has no result whose dataset is "
        "PongNoFrameskip-v4."
    )


def test_the_first_readable_score_counts():
    data = card(
        result(metric(1, kind="accuracy", name="accuracy"), metric("nan +/- nan"), metric("3 +/- 1")),
        result(metric("500 +/- 0")),
    )
    assert scores(describe_card(data)) == {INVADERS: (3, 1)}


def test_without_a_readable_score_the_first_reason_counts():
    claim = one_claim(card(result(metric("nan +/- nan"), metric("high")), result(metric(True))))
    assert claim.mean is None
    assert "(nan)" in claim.problem


def test_a_result_without_a_mean_reward_is_told_so():
    claim = one_claim(card(result(metric(0.9, kind="accuracy", name="Accuracy"))))
    assert claim.problem == f"The model card has a result for {INVADERS}, but no metric of type mean_reward."


@pytest.mark.parametrize(
    "names",
    [
        *({"type": kind, "name": None} for kind in ("MEAN_REWARD", "Mean Reward", "mean-reward", " mean_reward ")),
        {"type": "custom", "name": "Mean Reward"},
    ],
)
def test_the_metric_is_found_however_its_name_is_spelled(names):
    assert one_claim(card(result({**names, "value": "5 +/- 1"}))).mean == 5


@pytest.mark.parametrize(
    "kind", ["std_reward", "mean_reward_of_training", "mean", "x" * 2**20, None, 5, ["mean_reward"]]
)
def test_another_metric_is_no_score(kind):
    assert one_claim(card(result({"type": kind, "value": "5 +/- 1"}))).mean is None


def test_a_card_cannot_verify_itself():
    assert describe_card(card(result(metric(verified=True)))) == describe_card(card(result(metric(verified=False))))


@pytest.mark.parametrize(
    "changed",
    [
        result(metric(n_eval_episodes=50)),
        result(metric(args={"n_episodes": 50})),
        result(metric(), dataset={"type": INVADERS, "args": {"n_eval_episodes": 50}}),
    ],
)
def test_the_number_of_episodes_is_read_where_a_card_says_it(changed):
    assert one_claim(card(changed)).n_episodes == 50


@pytest.mark.parametrize(
    "models",
    [
        {"name": "DQN", "results": [result(metric())]},
        {"0": {"name": "DQN", "results": {"0": result(metric())}}},
        [{"name": "DQN", "results": result(metric(), metrics=metric())}],
        [None, 5, "x", [], {"results": None}, {"name": "DQN", "results": [None, [], result(None, "x", [], metric())]}],
    ],
    ids=["one model", "by number", "bare objects", "rubbish around"],
)
def test_objects_where_lists_should_be_are_read(models):
    described = describe_card({"model-index": models})
    assert scores(described) == {INVADERS: (258.23, 18.19)}
    assert described.algorithm == "DQN"


@pytest.mark.parametrize(
    "models", [None, True, 0, math.nan, "DQN", [], {}, [[[[]]]], [{"results": "x"}], [{"results": [{"metrics": 1}]}]]
)
def test_a_malformed_index_leaves_what_the_tags_name(models):
    claim = one_claim({"model-index": models, "tags": [INVADERS]})
    assert claim.mean is None
    assert claim.problem.startswith(f"The model card names {INVADERS} but claims no score")


@pytest.mark.parametrize(
    ("name", "tags", "algorithm"),
    [
        ("DQN", [], "DQN"),
        ("ada/ppo-LunarLander-v2", [], "PPO"),
        ("ppo_lstm-CartPole", [], "RecurrentPPO"),
        ("LunarLander-v2-a2c", [], "A2C"),
        ("Reinforce-CartPole-v1", [], "REINFORCE"),
        ("deep-q-learning-pong", [], "DQN"),
        ("q-Taxi-v3", [], "Q-Learning"),
        ("Taxi-q", [], ""),
        ("sac/my-agent", [], ""),
        ("my-agent", ["reinforcement-learning", "q-learning"], "Q-Learning"),
        ("my-agent", ["POCA"], "MA-POCA"),
        ("my-agent", ["ppo-like"], ""),
        (None, ["dqn"], "DQN"),
        ("DQN" + " " * 2**20, [], ""),
        ("", [], ""),
        (["DQN"], [], ""),
    ],
)
def test_the_algorithm_is_known_by_the_model_s_name_or_a_tag(name, tags, algorithm):
    assert describe_card(card(result(metric()), name=name), tags).algorithm == algorithm


def test_a_repository_s_name_tells_the_algorithm():
    assert algorithm_in(f"ada/qrdqn-{INVADERS}") == "QRDQN"
    assert algorithm_in("ada/space-invaders") == ""


@pytest.mark.parametrize(
    ("name", "tags", "library"),
    [
        (" ml-agents ", [], "ml-agents"),
        ("My own", [], "My own"),
        (None, ["stable-baselines3"], "stable-baselines3"),
        ("", ["cleanrl"], "cleanrl"),
        ("x" * 65, [], ""),
        ("x\N{RIGHT-TO-LEFT OVERRIDE}", [], ""),
        (["sb3"], ["sb3"], ""),
    ],
)
def test_the_library_is_one_short_line(name, tags, library):
    assert describe_card({"library_name": name}, tags).library == library


def test_a_card_that_would_run_something_is_refused_with_a_reason():
    text = "---\n!!python/object:huggingface_hub.repocard_data.ModelCardData\ntags: [Taxi-v3]\n---\n"
    described = parse_readme(text, ENV_IDS)
    assert described.claims == ()
    assert described.problem.startswith("The metadata in README.md is not valid YAML: the tag")


def test_a_card_that_breaks_the_rules_is_read_as_far_as_it_goes():
    data = card(result(metric(), task=None))
    described = parse_readme(f"---\n{yaml.safe_dump(data)}---\n", ENV_IDS)
    assert scores(described) == {INVADERS: (258.23, 18.19)}
    assert "task.type" in described.problem


@pytest.mark.parametrize(
    "text", ["", "# Just a title", "---\n---\n", "---\n- a\n---\n", "---\n" * 9, "\ud800", "---\n\ud800\n---"]
)
def test_a_card_without_metadata_claims_nothing(text):
    assert dataclasses.replace(parse_readme(text, ENV_IDS), problem="") == Described((), "", "")


LONG = "x" * 2**20


def nested():
    value = []
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    "make",
    [
        lambda: ({"tags": ["," * 2**20] * 200, "library_name": LONG, "model-index": LONG}, "a," * 2**19),
        lambda: ({"model-index": [{"name": LONG, "results": [{}] * 100_000}] * 1000}, [LONG] * 1000),
        lambda: (card(*[result(*[metric(LONG)] * 1000)] * 1000), [[]] * 100_000),
        lambda: (card(*[result(*[metric(kind=LONG, name=LONG)] * 1000)] * 1000), {}),
        lambda: (card(*[result(metric(), env_id=LONG)] * 1000), LONG),
        lambda: ({"model-index": [{"name": "x", "results": [result(*[metric("?")] * 1000)] * 1000}] * 1000}, None),
        lambda: ({"model-index": {str(number): {} for number in range(100_000)}}, None),
        lambda: ({"model-index": nested(), "tags": nested(), "library_name": nested()}, nested()),
    ],
    ids=["commas", "names", "values", "metrics", "environments", "products", "objects", "nesting"],
)
def test_work_is_bounded_whatever_the_size(make):
    card_data, tags = make()
    start = time.process_time()
    claims = describe_card(card_data, tags).claims
    assert time.process_time() - start < 1
    assert [claim.env_id for claim in claims if claim.mean is not None] == []


def test_only_the_first_hundred_of_anything_are_looked_at():
    others = [result(metric(), env_id="CartPole-v1")] * 99
    assert scores(describe_card(card(*others, result(metric())))) == {INVADERS: (258.23, 18.19)}
    assert describe_card(card(*others, *others, result(metric()))).claims == ()
    metrics = [metric(kind="accuracy", name="accuracy")] * 100
    assert one_claim(card(result(*metrics[1:], metric()))).mean == 258.23
    assert one_claim(card(result(*metrics, metric()))).mean is None
    assert describe_card({"model-index": [{}] * 100 + card(result(metric()))["model-index"]}).claims == ()
    assert describe_card({"tags": ",".join(["tag"] * 99 + [INVADERS])}).claims != ()
    assert describe_card({"tags": ",".join(["tag"] * 100 + [INVADERS])}).claims == ()
    assert describe_card({"tags": [f"tag-{number}" for number in range(99)] + [INVADERS]}).claims != ()
    assert describe_card({"tags": [f"tag-{number}" for number in range(100)] + [INVADERS]}).claims == ()


words = st.sampled_from(
    [*sorted(ENV_IDS), "model-index", "results", "dataset", "type", "name", "metrics", "value", "mean_reward", "tags"]
)
numbers = st.integers() | st.floats() | st.just(10**400)
leaves = st.none() | st.booleans() | numbers | words | st.text()
json_values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words | st.text(), inner, max_size=6),
    max_leaves=20,
)
values = (
    numbers
    | json_values
    | st.tuples(numbers, st.sampled_from([" +/- ", "±"]), numbers).map(
        lambda parts: f"{str(parts[0])[:20]}{parts[1]}{str(parts[2])[:20]}"
    )
)
results = st.fixed_dictionaries(
    {},
    optional={
        "dataset": st.fixed_dictionaries({}, optional={"type": leaves, "name": leaves}) | json_values,
        "metrics": st.lists(
            st.fixed_dictionaries({"type": st.just("mean_reward") | leaves, "value": values}), max_size=3
        )
        | json_values,
    },
)
models = st.fixed_dictionaries(
    {}, optional={"name": json_values, "results": st.lists(results, max_size=3) | json_values}
)
card_datas = st.fixed_dictionaries(
    {},
    optional={
        "tags": json_values,
        "library_name": json_values,
        "model-index": st.lists(models, max_size=3) | json_values,
    },
)


def check(described):
    for claim in described.claims:
        assert claim.env_id in ENV_IDS
        if claim.mean is None:
            assert claim.score is None
            assert claim.problem.endswith(".")
        else:
            assert math.isfinite(claim.mean)
            assert math.isfinite(claim.std)
            assert max(abs(claim.mean), claim.std) <= LIMIT
            assert claim.std >= 0
            assert claim.score == claim.mean - claim.std
    named = [claim.env_id for claim in described.claims]
    assert len(named) == len(set(named))
    assert len(described.algorithm) <= 32
    assert len(described.library) <= 64
    assert (described.algorithm + described.library + described.problem).isprintable()


@given(card_datas | json_values, json_values)
def test_any_json_is_read_without_an_error(card_data, tags):
    check(describe_card(card_data, tags))


@given(card_datas)
def test_any_json_in_a_file_is_read_without_an_error(card_data):
    text = json.dumps(card_data)  # which is YAML, but for its NaN
    check(parse_readme(f"---\n{text}\n---\n", ENV_IDS))


@given(st.text() | st.text().map("---\n{}\n---\n".format))
def test_any_text_is_read_without_an_error(text):
    check(parse_readme(text, ENV_IDS))
