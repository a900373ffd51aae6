"""How places that anybody may take are shared, so that nobody takes all of them."""


def may_take_another(mine: int, others: int, most: int) -> bool:
    """Whether there is room: nobody takes more than half of what the others leave.

    A lone school behind one address gets half of all places, and still leaves as many for the rest of the world.

    Args:
        mine: Places that who asks has already.
        others: Places that everybody else has.
        most: Places that there are.
    """
    return 2 * mine < most - others
