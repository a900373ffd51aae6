"""The API for programs: everything that a page shows, under `/api/v1`."""

from fastapi import APIRouter

from rl_leaderboard.web.api import (
    activity,
    boards,
    classes,
    hub_webhook,
    operation,
    people,
    submissions,
)

DESCRIPTION = "Boards, submissions, progress and classes of an RL Classroom."
ROUTERS: tuple[APIRouter, ...] = (
    activity.router,
    boards.router,
    classes.router,
    hub_webhook.router,
    operation.router,
    people.router,
    submissions.router,
)
