"""What a student reads when a classroom refuses: what happened, what the classroom says about it, what to do."""

from typing import TYPE_CHECKING

from rl_units.classroom.answers import parse, printable

if TYPE_CHECKING:
    import httpx2

_SENTENCES = {
    401: "{address} does not accept your token. {said} Make a new one and put it into RL_CLASSROOM_TOKEN, or log in to "
    "the Hub of your class again: hf auth login",
    403: "{address} does not let you do that: {said}",
    404: "{address} does not have that: {said}",
    422: "{address} refuses what was asked for: {said}",
    429: "{address} takes no more of this for now. {said}{wait}",
}


def no_classroom(address: str) -> str:
    """The sentence for an answer that no classroom gives."""
    return (
        f"{address} does not answer as a classroom does. Check the address: --classroom or RL_CLASSROOM "
        "(a Hub has another one)."
    )


def describe_refusal(response: "httpx2.Response", address: str, token: str | None) -> str:
    """The sentence for an answer that is no success.

    Args:
        response: The answer.
        address: The classroom's address.
        token: What was sent with the request; a server may send it back, and it goes on no screen and in no log.
    """
    status = response.status_code
    if response.is_redirect:
        target = _shown(response.headers.get("Location", ""), token) or "another place"
        return (
            f"{address} sends the request on to {target}. If that is where your classroom is, give its address to "
            "--classroom or RL_CLASSROOM."
        )
    said = _said(response, token)
    if status >= 500:
        sentence = f"{address} is in trouble (error {status}). {said} Try again in a few minutes."
    elif status == 404 and not said:
        sentence = no_classroom(address)
    else:
        header = response.headers.get("Retry-After", "")
        is_timed = header.isascii() and header.isdigit()
        wait = f" Wait {header} seconds and run the same command again." if is_timed else ""
        pattern = _SENTENCES.get(status, f"{{address}} refuses the request (error {status}): {{said}}")
        sentence = pattern.format(address=address, said=said or "It does not say why.", wait=wait)
    return " ".join(sentence.split())


def _said(response: "httpx2.Response", token: str | None) -> str:
    """The classroom's own sentence; empty if there is none."""
    try:
        said = parse(response.content)["error"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return ""
    line = _shown(said, token) if isinstance(said, str) else ""
    return line if not line or line.endswith((".", "!", "?")) else f"{line}."


def _shown(text: str, token: str | None) -> str:
    return printable(text.replace(token, "<token>") if token else text)
