"""Deep Q-learning on Atari: SB3's algorithm in less memory."""
