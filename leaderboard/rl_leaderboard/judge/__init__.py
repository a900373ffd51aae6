"""The judge: verified scores for agents that nobody trusts."""
