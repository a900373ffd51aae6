"""ML-Agents' own tools on current Pythons: installing, learning, and exchanging models with a Hub."""
