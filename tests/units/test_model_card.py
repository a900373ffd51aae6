import dataclasses
import re

import pytest
import yaml
from huggingface_hub import ModelCard
from hypothesis import given
from hypothesis import strategies as st

from rl_units.course import Protocol
from rl_units.model_card import CLASS_NAMES, Card, card_metadata, escape, fence, read_claim, render_card
from rl_units.results import EvaluationResult

ENV_ID = "SpaceInvadersNoFrameskip-v4"
PROTOCOL = Protocol("space-invaders", 3, ENV_ID, n_episodes=2, action_mode="epsilon_greedy", epsilon=0.01)
RESULT = EvaluationResult(
    env_id=ENV_ID,
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
CARD = Card(
    repo_id="alice/dqn-SpaceInvadersNoFrameskip-v4",
    default_name=True,
    endpoint=None,
    protocol=PROTOCOL,
    result=RESULT,
    train_command="python -m rl_units train --algo dqn",
    config={"policy": "CnnPolicy"},
)


def front_matter(text):
    return re.match(r"---\n(.*?)---\n", text, re.DOTALL).group(1)


def test_the_metadata_is_what_leaderboards_parse():
    metadata = yaml.safe_load(front_matter(render_card(CARD)))
    assert metadata == {
        "library_name": "stable-baselines3",
        "tags": [ENV_ID, "deep-reinforcement-learning", "reinforcement-learning", "stable-baselines3"],
        "model-index": [
            {
                "name": "DQN",
                "results": [
                    {
                        "task": {"type": "reinforcement-learning", "name": "reinforcement-learning"},
                        "dataset": {"name": ENV_ID, "type": ENV_ID},
                        "metrics": [
                            {
                                "type": "mean_reward",
                                "value": "451.50 +/- 120.25",
                                "name": "mean_reward",
                                "verified": False,
                            }
                        ],
                    }
                ],
            }
        ],
    }


def test_the_metadata_is_the_zoos_byte_for_byte():
    from huggingface_sb3.push_to_hub import _generate_metadata

    theirs = yaml.safe_dump(_generate_metadata("DQN", ENV_ID, 451.5, 120.25).to_dict(), sort_keys=False)
    assert yaml.safe_dump(card_metadata("dqn", ENV_ID, 451.5, 120.25), sort_keys=False) == theirs


def test_the_hubs_own_reader_finds_the_result():
    (result,) = ModelCard(render_card(CARD)).data.eval_results
    found = (result.dataset_type, result.metric_type, result.metric_value, result.verified)
    assert found == (ENV_ID, "mean_reward", "451.50 +/- 120.25", False)


def test_every_algorithm_of_the_zoo_has_its_class_name():
    from rl_zoo3 import ALGOS

    assert {name: algorithm.__name__ for name, algorithm in ALGOS.items()} == CLASS_NAMES


@pytest.mark.parametrize(
    "told",
    [
        "451.50 +/- 120.25",
        "331.25",  # the score: 451.50 - 120.25
        "space-invaders, version 3",
        "probability 0.01",
        "python -m rl_units train --algo dqn",
        "policy: CnnPolicy",
        "python -m rl_units load_from_hub --algo dqn --env SpaceInvadersNoFrameskip-v4 -orga alice -f logs/",
        "python -m rl_zoo3.enjoy --algo dqn --env SpaceInvadersNoFrameskip-v4 -f logs/",
        "torch: 2.13.0",
    ],
)
def test_the_page_tells(told):
    assert told in render_card(CARD)


def test_another_name_is_part_of_the_command_that_loads():
    card = dataclasses.replace(CARD, repo_id="alice/best", default_name=False)
    assert "-orga alice -name best" in render_card(card)


def test_another_hub_is_part_of_the_command_that_loads():
    assert "export HF_ENDPOINT=https://hub.school.example" in render_card(
        dataclasses.replace(CARD, endpoint="https://hub.school.example")
    )


@pytest.mark.parametrize("has_replay", [True, False])
def test_the_replay_is_linked_where_there_is_one(has_replay):
    assert ("(replay.mp4)" in render_card(dataclasses.replace(CARD, has_replay=has_replay))) == has_replay


def test_hyperparameters_cannot_close_their_code_block():
    card = dataclasses.replace(CARD, config={"policy": "a\n```\n<script>b</script>"})
    block = render_card(card).split("### Hyperparameters\n\n")[1]
    assert block.startswith("````yaml\n")


@given(st.text())
def test_escaped_text_is_one_line_without_markup(text):
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<>#|\n]", escape(text))


@given(st.text(alphabet="`a\n"))
def test_a_code_block_ends_only_at_its_end(text):
    *inside, last = fence(text).splitlines()[1:]
    assert last not in inside


def test_a_claim_is_read_from_a_card():
    assert read_claim(render_card(CARD), ENV_ID) == "451.50 +/- 120.25"


def test_a_claim_about_another_environment_is_none():
    assert read_claim(render_card(CARD), "Pong-v4") is None


def test_a_claim_cannot_move_the_cursor():
    card = render_card(CARD).replace("451.50 +/- 120.25", '"9\\x1b[2J9"')
    assert read_claim(card, ENV_ID) == "9[2J9"


@pytest.mark.parametrize(
    "front",
    [
        "!!python/object/apply:os.system [echo]",
        "model-index: 3",
        "model-index: [{results: {a: 1}}]",
        "model-index: [{name: x}]",
        "a: b: c",
        "- 1",
        "",
    ],
)
def test_a_malformed_card_claims_nothing(front):
    assert read_claim(f"---\n{front}\n---\ntext", ENV_ID) is None


def test_only_text_and_numbers_are_claims():
    card = render_card(CARD).replace("value: 451.50 +/- 120.25", "value: [1]")
    assert read_claim(card, ENV_ID) is None


@given(st.text())
def test_no_text_breaks_the_reader(text):
    read_claim(f"---\n{text}\n---\n", ENV_ID)
