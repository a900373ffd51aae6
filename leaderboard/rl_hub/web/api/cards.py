"""`POST /api/validate-yaml`: what the Hub would say to a card, before it is committed."""

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from rl_hub import cards
from rl_hub.errors import BadRequest
from rl_hub.web.answers import answer
from rl_hub.web.call import Call
from rl_hub.web.routing import api


def validate(call: Call) -> Response:
    """Problems of a card: JSON for `HfApi`, plain text for `RepoCard.validate`."""
    content = call.json().get("content")
    if not isinstance(content, str):
        raise BadRequest("'content' has to be the text of a README.md.")
    card = cards.parse_card(content)
    status = 400 if card.errors else 200
    if call.request.headers.get("accept", "").startswith("text/plain"):
        return PlainTextResponse("\n".join([*card.errors, *card.warnings]), status)
    problems = {
        "errors": [{"message": error} for error in card.errors],
        "warnings": [{"message": warning} for warning in card.warnings],
    }
    return answer(problems, status)


ROUTES: list[Route] = [api("/api/validate-yaml", validate, ("POST",), max_body=8 * 2**20)]
