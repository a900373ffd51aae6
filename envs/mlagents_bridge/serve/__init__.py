"""Our environments, played as the Unity side of the ML-Agents protocol."""
