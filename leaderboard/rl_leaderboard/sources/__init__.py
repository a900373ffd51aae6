"""From Hubs to submissions: what is read of a repository, and how news of it arrives."""
