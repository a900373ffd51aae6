"""Settings and fixtures for all tests."""

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
