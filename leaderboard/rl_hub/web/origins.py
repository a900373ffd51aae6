"""Whether a form, or an address to return to, is from our own pages."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers

from rl_hub.errors import Forbidden


def check_origin(headers: Headers, base_url: str) -> None:
    """Refuses a form of which the browser says that it comes from elsewhere.

    Args:
        headers: The request's.
        base_url: This server's address as people use it.

    Raises:
        Forbidden: If it does.
    """
    own = {headers.get("host", "").lower(), urlsplit(base_url).netloc.lower()}
    origin = headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc.lower() not in own
    # https://www.w3.org/TR/fetch-metadata: also where a browser sends no Origin.
    if foreign or headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise Forbidden(
            "This form was sent from another site, so nothing was done. Open the page on this site and send it there."
        )


def local_path(target: str, root: str = "") -> str:
    """An address to return to, if it is one of this server's own, below `root`; the home page otherwise.

    A browser reads an address that starts with two slashes, in either direction, as another server's, and leaves out
    tabs and line ends while it does.
    """
    inside = target.startswith(f"{root}/") and not target.startswith(f"{root}//")
    if inside and target.isascii() and target.isprintable() and "\\" not in target:
        return target.removeprefix(root)
    return "/"
