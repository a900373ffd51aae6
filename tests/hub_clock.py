"""A Hub's time that stands still, and passes without waiting."""

from datetime import timedelta

from rl_hub import clock


def moving_clock(monkeypatch):
    """Stops the Hub's clock; returns a function that puts it forward by some seconds."""
    time = clock.now()

    def move(seconds):
        nonlocal time
        time += timedelta(seconds=seconds)

    monkeypatch.setattr(clock, "now", lambda: time)
    return move
