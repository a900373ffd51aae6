"""Three versions of the client against a Hub that is really served, and how their outcomes are judged.

`make test-clients` builds the clients' environments; those that are there are used here.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest

from clients import build
from clients.operations.catalogue import GROUPS, OPERATIONS
from clients.report import README, Client, Expectations, Limitation, load_expectations, surprises, table, with_table
from clients.run import Outcome, run_operations, transport
from clients.server import running_hub

EXPECTATIONS = load_expectations()
# Both ways are tried with few runs; `make test-clients` tries both with every client.
WITHOUT_XET = {"1.33.0"}
OLD, NEW = Client("1.0", "LFS"), Client("2.0", "Xet")
RULES = Expectations(
    (OLD, NEW),
    {"upload": "large", "upload_little": "regular"},
    (Limitation(("1.0",), ("check",), "refused", "Too old."),),
)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """By the version, what came of the operations: all clients work at the same time."""
    built = [client.version for client in EXPECTATIONS.clients if build.is_built(client.version)]
    folders = {version: tmp_path_factory.mktemp("client") for version in built}
    if not built:
        pytest.skip("`make test-clients` builds the clients' environments")
    with running_hub(tmp_path_factory.mktemp("served")) as hub, ThreadPoolExecutor() as threads:
        runs = {v: threads.submit(run_operations, hub, v, folders[v], xet=v not in WITHOUT_XET) for v in built}
        return {version: run.result() for version, run in runs.items()}


@pytest.mark.parametrize("client", EXPECTATIONS.clients, ids=lambda client: client.version)
def test_a_client_does_what_is_expected_of_it(client, outcomes):
    if client.version not in outcomes:
        pytest.skip("`make test-clients` builds this client's environment")
    found = outcomes[client.version]

    assert [outcome.operation for outcome in found] == [operation.name for operation in OPERATIONS]
    assert surprises(EXPECTATIONS, client, found, xet=client.version not in WITHOUT_XET) == []


def test_the_readmes_table_is_up_to_date():
    readme = README.read_text("utf-8")

    assert with_table(readme, table(EXPECTATIONS, GROUPS)) == readme


def test_expectations_name_operations_that_exist():
    names = {operation.name for operation in OPERATIONS}
    named = {*EXPECTATIONS.transports, *(name for each in EXPECTATIONS.limitations for name in each.operations)}

    assert named <= names


def test_every_operation_has_a_name_of_its_own():
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)


@pytest.mark.parametrize(
    ("client", "xet", "outcome", "words"),
    [
        (NEW, True, Outcome("anything", "", "regular"), None),
        (NEW, True, Outcome("anything", "broken", "regular"), "broken"),
        (NEW, True, Outcome("upload", "", "Xet"), None),
        (NEW, True, Outcome("upload", "", "LFS"), "by LFS, not Xet"),
        (NEW, False, Outcome("upload", "", "LFS"), None),
        (NEW, False, Outcome("upload", "", "Xet"), "by Xet, not LFS"),
        (OLD, True, Outcome("upload", "", "LFS"), None),
        (NEW, True, Outcome("upload_little", "", "LFS"), "by LFS, not regular"),
        (OLD, True, Outcome("check", "Connection refused", "regular"), None),
        (OLD, True, Outcome("check", "something else", "regular"), "not with 'refused'"),
        (OLD, True, Outcome("check", "", "regular"), "succeeded"),
        (NEW, True, Outcome("check", "Connection refused", "regular"), "Connection refused"),
    ],
)
def test_what_is_not_expected_is_a_surprise(client, xet, outcome, words):
    found = surprises(RULES, client, [outcome], xet=xet)

    assert len(found) == (words is not None)
    assert all(words in line and client.version in line and outcome.operation in line for line in found)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/models/ada/agent/commit/main", "regular"),
        ("/ada/agent.git/info/lfs/objects/batch", "LFS"),
        ("/datasets/ada/agent.git/info/lfs/objects/batch", "LFS"),
        ("/api/models/ada/agent/xet-write-token/main", "Xet"),
        ("/api/models/ada/agent-2/xet-write-token/main", "regular"),
    ],
)
def test_the_requests_tell_how_files_travelled(path, expected):
    assert transport([("POST", "/api/models/ada/agent/preupload/main"), ("POST", path)], "ada/agent") == expected


def test_the_table_says_how_files_travel_and_why_something_fails():
    lines = table(RULES, {"Group": [operation_named("upload"), operation_named("check")]}).splitlines()

    assert "| **Group** | | |" in lines
    assert "| What upload does | LFS | Xet or LFS |" in lines
    assert "| What check does | no (1) | yes |" in lines
    assert lines[-1] == "1. Too old."


def test_a_readme_without_marks_is_refused():
    with pytest.raises(ValueError, match="marks"):
        with_table("# The Hub", "| table |")


def operation_named(name):
    from clients.operations.context import Operation

    def function(api, context):
        raise AssertionError("never run")

    function.__name__ = name
    function.__doc__ = f"What {name} does.\n\n    More about it."
    return Operation(function)
