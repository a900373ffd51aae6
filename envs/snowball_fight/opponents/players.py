"""The scripted players by name."""

from enum import IntEnum


class Player(IntEnum):
    """From weakest to strongest; each beats the one before it clearly.

    Attributes:
        STILL: Does nothing.
        RANDOM: Draws every action uniformly.
        DODGER: Strafes to and fro, steps out of the way of snowballs, and throws straight ahead without aiming.
        AIM_AND_SHOOT: Turns to the opponent that it sees and throws at where it is.
        LEADER: Throws at where the opponent will be, and dodges.
    """

    STILL = 0
    RANDOM = 1
    DODGER = 2
    AIM_AND_SHOOT = 3
    LEADER = 4


RATINGS = {"still": 0.0, "random": 5.0, "dodger": 125.0, "aim_and_shoot": 450.0, "leader": 680.0}
"""Strength of each player in one against one, by its name in lower case: Elo's scale, `STILL` its zero.

Fitted to tournaments of 2,000 games of each pairing, draws and time-outs counted half.
"""
