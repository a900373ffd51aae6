"""`make test-clients`: every operation with every client version, compared with what is expected.

The table in leaderboard/README.md is written anew; with --check it is compared instead. Exit code 1 after any surprise,
an unexpected success included.
"""

import argparse
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from clients.build import BuildError, build
from clients.operations.catalogue import GROUPS
from clients.report import README, Client, Expectations, load_expectations, surprises, table, with_table
from clients.run import run_operations
from clients.server import RunningHub, running_hub


def main() -> int:
    parser = argparse.ArgumentParser(prog="make test-clients", description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if the table in the README is another one")
    parser.add_argument("--only", metavar="VERSION", help="one client; the table stays as it is")
    options = parser.parse_args()
    expectations = load_expectations()
    clients = [client for client in expectations.clients if options.only in (None, client.version)]
    for client in clients:
        build(client.version)
    with tempfile.TemporaryDirectory() as folder, running_hub(Path(folder)) as hub, ThreadPoolExecutor(2) as threads:
        runs = [
            threads.submit(_run, hub, expectations, Path(folder), client, xet)
            for client in clients
            for xet in (True, False)
        ]
        found = [line for run in runs for line in run.result()]
    if options.only is None:
        found += _update_readme(table(expectations, GROUPS), check=options.check)
    for line in found:
        print(line)
    return int(bool(found))


def _run(hub: RunningHub, expectations: Expectations, folder: Path, client: Client, xet: bool) -> list[str]:
    place = folder / f"{client.version}-{xet}"
    place.mkdir()
    outcomes = run_operations(hub, client.version, place, xet=xet)
    mode = "" if xet else ", HF_HUB_DISABLE_XET=1"
    done = sum(not outcome.error for outcome in outcomes)
    print(f"huggingface_hub {client.version}{mode}: {done} of {len(outcomes)} operations succeeded", flush=True)
    return surprises(expectations, client, outcomes, xet=xet)


def _update_readme(text: str, *, check: bool) -> list[str]:
    readme = README.read_text("utf-8")
    wanted = with_table(readme, text)
    if wanted == readme:
        return []
    if check:
        return [f"the table in {README.name} is not up to date: run `make test-clients`"]
    README.write_text(wanted, "utf-8")
    return []


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except BuildError as error:
        raise SystemExit(str(error)) from None
