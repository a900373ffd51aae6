"""Pushing agents to a Hub and fetching other people's, on any `HF_ENDPOINT`."""
