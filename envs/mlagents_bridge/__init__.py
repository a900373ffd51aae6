"""Unity ML-Agents in both directions: its trainers in our environments, and its environments for our trainers."""
