"""Whether the Hub can do its work, for whoever watches over it."""

import shutil

from sqlalchemy import select
from starlette.responses import Response
from starlette.routing import Route

from rl_hub.web.answers import answer
from rl_hub.web.call import Call
from rl_hub.web.routing import api

_LITTLE_BYTES = 2**28


def health(call: Call) -> Response:
    """200 if the database answers and the disk has room, 503 otherwise."""
    with call.hub.database.read() as connection:
        database = connection.scalar(select(1)) == 1
    disk = shutil.disk_usage(call.hub.settings.data).free >= _LITTLE_BYTES
    healthy = database and disk
    return answer({"healthy": healthy, "database": database, "disk": disk}, 200 if healthy else 503)


ROUTES: list[Route] = [api("/healthz", health)]
