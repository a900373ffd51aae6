"""Pages for people."""

from fastapi import APIRouter

from rl_leaderboard.web.pages import (
    administration,
    agents,
    boards,
    certificates,
    classes,
    home,
    live,
    openid,
    quizzes,
    settings,
    sign_in,
    static_files,
    students,
    teaching,
    units,
)

ROUTERS: tuple[APIRouter, ...] = (
    administration.router,
    agents.router,
    boards.router,
    certificates.router,
    classes.router,
    home.router,
    live.router,
    openid.router,
    quizzes.router,
    settings.router,
    sign_in.router,
    static_files.router,
    students.router,
    teaching.router,
    units.router,
)
