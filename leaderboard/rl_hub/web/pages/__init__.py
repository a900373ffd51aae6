"""What a person looks at."""

from starlette.routing import Route

from rl_hub.web.pages import (
    device,
    files,
    history,
    home,
    listing,
    profiles,
    repository,
    settings,
    sign_in,
    static_files,
)

# The widest patterns come last.
ROUTES: list[Route] = [
    *static_files.ROUTES,
    *home.ROUTES,
    *sign_in.ROUTES,
    *settings.ROUTES,
    *device.ROUTES,
    *listing.ROUTES,
    *history.ROUTES,
    *files.ROUTES,
    *repository.ROUTES,
    *profiles.ROUTES,
]
