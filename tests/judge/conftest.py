"""A classroom on a temporary folder, for every test of the judge."""

from leaderboard_fixtures import app, classroom, client, course, empty_databases, endpoint, hub, settings, sign_in

__all__ = ["app", "classroom", "client", "course", "empty_databases", "endpoint", "hub", "settings", "sign_in"]
