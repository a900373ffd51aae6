"""Whose turn it is: a student's tenth submission waits for everybody's first.

The first of a student's unfinished submissions has turn 0, the second turn 1, and so on: like sitting at a table where
everybody is served once before anybody is served twice. Somebody who sends a hundred delays others by one.
"""

LAST_TURN = 1_000
"""Of what can wait until everybody else is served."""


def turn_of(unfinished: int) -> int:
    """The turn of a student's next job.

    Args:
        unfinished: How many of the student's other submissions wait or run.
    """
    return min(unfinished, LAST_TURN)
