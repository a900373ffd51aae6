"""Model cards: reading, writing and checking them."""

from huggingface_hub import HfApi, ModelCard, RepoCard, metadata_eval_result, metadata_update
from huggingface_hub.errors import HfHubHTTPError

from clients.operations.context import Context, operation

CARD = "---\nlibrary_name: stable-baselines3\ntags:\n- CartPole-v1\n---\n# Agent\n"


def start(api: HfApi, context: Context) -> None:
    api.create_repo(context.repository)
    api.upload_file(path_or_fileobj=CARD.encode(), path_in_repo="README.md", repo_id=context.repository)


def assert_refused_card(call) -> None:
    try:
        call()
    except (HfHubHTTPError, ValueError) as error:
        sentence = str(error)
    else:
        raise AssertionError("the Hub accepted the card")
    assert "model-index" in sentence, f"the sentence does not say what is wrong: {sentence}"


@operation
def read_a_card(api: HfApi, context: Context):
    """`ModelCard.load`, and the card's metadata in `model_info`."""
    start(api, context)
    card = ModelCard.load(context.repository)
    assert card.data.library_name == "stable-baselines3"
    assert card.text.strip() == "# Agent"
    model = api.model_info(context.repository)
    assert model.library_name == "stable-baselines3"
    assert {"CartPole-v1", "stable-baselines3"} <= set(model.tags)
    assert model.card_data["tags"] == ["CartPole-v1"]


@operation
def check_a_card(api: HfApi, context: Context):
    """`ModelCard.validate`."""
    ModelCard(CARD).validate()
    # A `ModelCard` would read the results itself.
    assert_refused_card(RepoCard("---\nmodel-index:\n- name: agent\n---\n").validate)


@operation
def push_a_card(api: HfApi, context: Context):
    """`ModelCard.push_to_hub`."""
    start(api, context)
    ModelCard(CARD.replace("CartPole", "Acrobot")).push_to_hub(context.repository, token=context.token)
    assert "Acrobot-v1" in api.model_info(context.repository).tags


@operation
def update_the_metadata(api: HfApi, context: Context):
    """`metadata_update` with the result of an evaluation."""
    start(api, context)
    result = metadata_eval_result(
        model_pretty_name="DQN",
        task_pretty_name="reinforcement-learning",
        task_id="reinforcement-learning",
        metrics_pretty_name="mean_reward",
        metrics_id="mean_reward",
        metrics_value="475.00 +/- 25.00",
        dataset_pretty_name="CartPole-v1",
        dataset_id="CartPole-v1",
    )
    metadata_update(context.repository, result, token=context.token)
    (found,) = ModelCard.load(context.repository).data.eval_results
    assert (found.dataset_name, found.metric_value) == ("CartPole-v1", "475.00 +/- 25.00")


@operation
def upload_a_wrong_card(api: HfApi, context: Context):
    """`upload_folder` with a card that lacks its results is refused, and says what is wrong."""
    api.create_repo(context.repository)
    context.file("agent/README.md", "---\nmodel-index:\n- name: agent\n---\n")
    assert_refused_card(lambda: api.upload_folder(repo_id=context.repository, folder_path=context.folder / "agent"))
    assert "README.md" not in api.list_repo_files(context.repository)
