"""Making, moving, hiding and deleting repositories."""

from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import RepositoryNotFoundError

from clients.operations.context import Context, operation, refused


@operation
def create_a_repository(api: HfApi, context: Context):
    """`create_repo`."""
    url = api.create_repo(context.repository)
    assert url == f"{context.endpoint}/{context.repository}", url
    assert url.repo_id == context.repository
    assert api.repo_exists(context.repository)


@operation
def create_a_repository_again(api: HfApi, context: Context):
    """`create_repo` of one that exists: refused, fine with `exist_ok`."""
    first = api.create_repo(context.repository)
    assert api.create_repo(context.repository, exist_ok=True) == first
    with refused(409, context.name):
        api.create_repo(context.repository)


@operation
def create_in_a_foreign_namespace(api: HfApi, context: Context):
    """`create_repo` under somebody else's name is refused."""
    with refused(403, context.other):
        api.create_repo(f"{context.other}/{context.name}")


@operation
def write_with_a_reading_token(api: HfApi, context: Context):
    """A token that may only read is refused when it writes."""
    api.create_repo(context.repository)
    reader = context.api(context.reading_token)
    with refused(403):
        reader.create_repo(f"{context.repository}-2")
    with refused(403):
        reader.upload_file(path_or_fileobj=b"text", path_in_repo="a.txt", repo_id=context.repository)
    assert reader.list_repo_files(context.repository) == api.list_repo_files(context.repository)


@operation
def push_to_a_foreign_repository(api: HfApi, context: Context):
    """`upload_file` into somebody else's repository is refused."""
    repository = f"{context.other}/{context.name}"
    context.api(context.other_token).create_repo(repository)
    with refused(403, repository):
        api.upload_file(path_or_fileobj=b"text", path_in_repo="a.txt", repo_id=repository)


@operation
def hide_a_repository(api: HfApi, context: Context):
    """A private repository does not exist for anybody else, until `update_repo_settings` makes it public."""
    api.create_repo(context.repository, private=True)
    api.upload_file(path_or_fileobj=b"secret", path_in_repo="a.txt", repo_id=context.repository)
    assert api.model_info(context.repository).private
    strangers = [context.api(context.other_token), context.api(token=False)]
    for stranger in strangers:
        assert not stranger.repo_exists(context.repository)
        assert context.repository not in [model.id for model in stranger.list_models(author=context.user)]
        for call in (stranger.model_info, stranger.list_repo_files, stranger.list_repo_refs):
            with refused(404 if stranger.token else 401):
                call(context.repository)
        try:
            stranger.hf_hub_download(context.repository, "a.txt", cache_dir=context.folder)
        except RepositoryNotFoundError:
            pass
        else:
            raise AssertionError("a stranger got the file")
    api.update_repo_settings(context.repository, private=False)
    for stranger in strangers:
        assert "a.txt" in stranger.list_repo_files(context.repository)


@operation
def share_in_an_organisation(api: HfApi, context: Context):
    """A member writes to an organisation's repository; others do not see it while it is private."""
    repository = f"{context.organisation}/{context.user}-{context.name}"
    api.create_repo(repository, private=True)
    api.upload_file(path_or_fileobj=b"text", path_in_repo="a.txt", repo_id=repository)
    assert "a.txt" in context.api(context.reading_token).list_repo_files(repository)
    other = context.api(context.other_token)
    assert not other.repo_exists(repository)
    with refused(403, context.organisation):
        other.create_repo(f"{context.organisation}/{context.user}-{context.name}-2")


@operation
def move_a_repository(api: HfApi, context: Context):
    """`move_repo`, with its files and its history."""
    api.create_repo(context.repository)
    api.upload_file(path_or_fileobj=b"text", path_in_repo="a.txt", repo_id=context.repository)
    moved = f"{context.organisation}/{context.user}-{context.name}"
    before = api.model_info(context.repository).sha
    api.move_repo(context.repository, moved)
    assert api.model_info(moved).sha == before
    assert "a.txt" in api.list_repo_files(moved)


@operation
def delete_a_repository(api: HfApi, context: Context):
    """`delete_repo`."""
    api.create_repo(context.repository)
    with refused(403):
        context.api(context.other_token).delete_repo(context.repository)
    api.delete_repo(context.repository)
    assert not api.repo_exists(context.repository)
    with refused(404):
        api.delete_repo(context.repository)
    api.delete_repo(context.repository, missing_ok=True)


@operation
def keep_a_dataset(api: HfApi, context: Context):
    """A dataset repository beside a model of the same name."""
    api.create_repo(context.repository)
    api.create_repo(context.repository, repo_type="dataset")
    api.upload_file(
        path_or_fileobj=b"a,b\n1,2\n", path_in_repo="data.csv", repo_id=context.repository, repo_type="dataset"
    )
    assert api.dataset_info(context.repository).id == context.repository
    assert context.repository in [dataset.id for dataset in api.list_datasets(author=context.user)]
    path = api.hf_hub_download(context.repository, "data.csv", repo_type="dataset", cache_dir=context.folder)
    assert Path(path).read_bytes() == b"a,b\n1,2\n"
    assert "data.csv" not in api.list_repo_files(context.repository)


@operation
def check_access(api: HfApi, context: Context):
    """`auth_check` tells whether a repository can be read."""
    api.create_repo(context.repository, private=True)
    api.auth_check(context.repository)
    with refused(404):
        context.api(context.other_token).auth_check(context.repository)
