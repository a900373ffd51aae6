"""`POST /api/validate-yaml`: whether a card's metadata can be accepted, asked before it is pushed."""

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from rl_hub import cards
from rl_hub.errors import BadRequest
from rl_hub.web.answers import answer
from rl_hub.web.call import Call
from rl_hub.web.routing import api


def validate(call: Call) -> Response:
    """The problems of a card. `RepoCard.validate` asks for plain text, pushes ask for JSON; both know 400."""
    content = call.json().get("content")
    if not isinstance(content, str):
        raise BadRequest("Send the card's text as `content`.")
    card = cards.parse_card(content)
    status = 400 if card.errors else 200
    if "text/plain" in call.request.headers.get("accept", ""):
        return PlainTextResponse("\n".join(card.errors), status)
    problems = {
        "errors": [{"message": message} for message in card.errors],
        "warnings": [{"message": message} for message in card.warnings],
    }
    return answer(problems if status == 200 else {"error": "\n".join(card.errors), **problems}, status)


ROUTES: list[Route] = [api("/api/validate-yaml", validate, ["POST"])]
