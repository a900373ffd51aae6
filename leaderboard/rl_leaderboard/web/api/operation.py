"""Health and metrics, for whoever watches over the server. They say nothing about anybody, so anybody may ask."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from rl_hub import clock
from rl_leaderboard import __version__
from rl_leaderboard.web.health import NO_JUDGE, count_submissions, examine
from rl_leaderboard.web.requests import ClassroomOf

router = APIRouter(include_in_schema=False)

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/healthz")
def read_health(classroom: ClassroomOf) -> JSONResponse:
    """200 if everything works that this machine is responsible for, 503 otherwise."""
    health, now = examine(classroom), clock.now()
    ages = {
        source: None if moment is None else round((now - moment).total_seconds())
        for source, moment in health.figures.sources.items()
    }
    body = {
        "healthy": health.is_good,
        "version": __version__,
        "database": health.database,
        "disk": health.disk,
        "hub": health.hub,
        "sources_age_seconds": ages,
        "submissions_waiting": health.figures.waiting,
        "judges": len(health.figures.judges),
        "judge_isolation": health.figures.judges[-1] if health.figures.judges else NO_JUDGE,
    }
    return JSONResponse(body, 200 if health.is_good else 503, headers={"Cache-Control": "no-store"})


@router.get("/metrics")
def read_metrics(request: Request, classroom: ClassroomOf) -> Response:
    """What Prometheus reads."""
    # Most classrooms have no Prometheus.
    from rl_leaderboard.web import metrics

    health = examine(classroom)
    states = count_submissions(classroom) if health.database else {}
    return Response(metrics.render(health, states, request.app.state.traffic), media_type=_METRICS_TYPE)
