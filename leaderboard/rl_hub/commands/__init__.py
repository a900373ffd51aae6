"""The commands of `python -m rl_hub`."""
