"""Trained agents, loaded without running their code."""
