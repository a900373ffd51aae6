"""Deep Q-learning on Atari: SB3's algorithm, made fast and small."""
