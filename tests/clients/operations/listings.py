"""Finding models."""

from huggingface_hub import HfApi

from clients.operations.context import Context, operation


def own_tag(context: Context) -> str:
    return f"{context.user}-{context.name}"


def start(api: HfApi, context: Context) -> list[str]:
    """Three agents in two games; returns their ids, oldest first."""
    repositories = []
    for algo, game in (("dqn", "Pong-v5"), ("ppo", "Pong-v5"), ("ppo", "Breakout-v5")):
        repository = f"{context.user}/{context.name}-{algo}-{game}"
        results = f"[{{task: {{type: rl}}, dataset: {{name: a, type: {game}}}, metrics: [{{type: r, value: 1}}]}}]"
        card = (
            f"---\nlibrary_name: stable-baselines3\ntags: [{own_tag(context)}, {game}, {algo}]\n"
            f"model-index: [{{name: {algo}, results: {results}}}]\n---\n"
        )
        api.create_repo(repository)
        api.upload_file(path_or_fileobj=card.encode(), path_in_repo="README.md", repo_id=repository)
        repositories.append(repository)
    return repositories


def ids(models) -> list[str]:
    return [model.id for model in models]


@operation
def filter_by_tags(api: HfApi, context: Context):
    """`list_models` with one `filter`, and with several."""
    dqn_pong, ppo_pong, ppo_breakout = start(api, context)
    assert set(ids(api.list_models(filter=own_tag(context)))) == {dqn_pong, ppo_pong, ppo_breakout}
    assert ids(api.list_models(filter=[own_tag(context), "Pong-v5", "ppo"])) == [ppo_pong]
    assert ids(api.list_models(filter=[own_tag(context), "Pong-v4"])) == []


@operation
def search_by_name(api: HfApi, context: Context):
    """`list_models` with `search` and `author`."""
    dqn_pong, ppo_pong, _ = start(api, context)
    assert set(ids(api.list_models(search="PONG", author=context.user, filter=own_tag(context)))) == {
        dqn_pong,
        ppo_pong,
    }
    assert ids(api.list_models(author=context.other, filter=own_tag(context))) == []


@operation
def sort_by_date(api: HfApi, context: Context):
    """`list_models` with `sort` and `limit`."""
    repositories = start(api, context)
    newest = ids(api.list_models(filter=own_tag(context), sort="last_modified"))
    assert newest == repositories[::-1]
    assert ids(api.list_models(filter=own_tag(context), sort="last_modified", limit=2)) == newest[:2]


@operation
def read_the_cards_of_a_listing(api: HfApi, context: Context):
    """`list_models` with `expand`, `cardData` and `full`."""
    start(api, context)
    expand = ["cardData", "sha", "lastModified", "author"]
    for model in api.list_models(filter=own_tag(context), expand=expand):
        assert own_tag(context) in model.card_data["tags"]
        assert (model.sha, model.author) == (api.model_info(model.id).sha, context.user)
        assert model.last_modified
    (model,) = api.list_models(filter=[own_tag(context), "dqn"], cardData=True)
    assert model.card_data.eval_results[0].metric_value == 1
    (model,) = api.list_models(filter=[own_tag(context), "dqn"], full=True)
    assert "README.md" in [file.rfilename for file in model.siblings]


@operation
def list_more_than_a_page(api: HfApi, context: Context):
    """`list_models` over several pages."""
    listed = ids(api.list_models(author=context.crowd))
    assert len(listed) == len(set(listed)) == context.crowd_size
