"""A few of the kills of which `make bench` does 200."""

from benchmarks.hub_crashes import campaign


def test_a_hub_that_is_killed_while_clients_push_loses_nothing():
    finished = campaign(kills=5, seed=1)

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "5 kills" in finished.stdout
