"""Deep Q-learning on Atari: SB3's algorithm, faster, in less memory, and resumed to the bit."""
