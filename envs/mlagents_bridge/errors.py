"""What can go wrong, each time in a sentence for the user."""


class BridgeError(Exception):
    """Something that the user can mend; the text says what happened and what to do."""
