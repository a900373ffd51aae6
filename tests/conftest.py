"""Settings and fixtures for all tests."""

import warnings

import coverage
import hypothesis
import pytest

# The same few examples on every machine; `--hypothesis-profile=default` explores further.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, max_examples=50)
hypothesis.settings.load_profile("ci")


@pytest.fixture(autouse=True)
def _one_torch_thread():
    """Small networks on busy cores: one thread is faster, and the same on every machine."""
    import torch

    torch.set_num_threads(1)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish():
    """Write what was covered while it is safe: xdist kills a worker that is not gone 10 seconds after its last test."""
    if measurement := coverage.Coverage.current():
        measurement.stop()
        with warnings.catch_warnings(action="ignore", category=coverage.exceptions.CoverageWarning):
            measurement.save()
