"""Lets a Hub's time pass without waiting."""

from datetime import timedelta

from rl_hub import clock


def moving_clock(monkeypatch):
    """A function that puts the Hub's clock forward by some seconds."""
    real, passed = clock.now, timedelta()

    def move(seconds):
        nonlocal passed
        passed += timedelta(seconds=seconds)

    monkeypatch.setattr(clock, "now", lambda: real() + passed)
    return move
