"""A stranger's text in a message of ours."""

MAX_LENGTH = 200


def excerpt(text: object) -> str:
    """The beginning of a text on one line, without characters that could steer a terminal."""
    words = " ".join(str(text)[: 4 * MAX_LENGTH].split())
    short = words if len(words) <= MAX_LENGTH else f"{words[:MAX_LENGTH]}…"
    return "".join(character if character.isprintable() else "?" for character in short)
