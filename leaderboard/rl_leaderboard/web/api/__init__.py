"""The API for programs: everything that a page shows, under `/api/v1`."""

from fastapi import APIRouter

from rl_leaderboard.web.api import (
    activity,
    boards,
    classes,
    directory,
    hub_webhook,
    logs,
    operation,
    people,
    submissions,
    teaching,
    units,
)

DESCRIPTION = "Boards, submissions, progress and classes of an RL Classroom."
ROUTERS: tuple[APIRouter, ...] = (
    activity.router,
    boards.router,
    classes.router,
    directory.router,
    hub_webhook.router,
    logs.router,
    operation.router,
    people.router,
    submissions.router,
    teaching.router,
    units.router,
)
