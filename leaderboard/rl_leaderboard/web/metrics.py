"""Health and traffic as Prometheus reads them; nothing in it names a person."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from rl_leaderboard import __version__
from rl_leaderboard.web.health import Health
from rl_leaderboard.web.traffic import BOUNDS, Traffic

_PREFIX = "rl_classroom_"


def render(health: Health, submissions: Mapping[str, int], traffic: Traffic) -> bytes:
    """Everything in Prometheus' text format.

    Args:
        health: What works.
        submissions: How many are in each state.
        traffic: What was answered.
    """
    registry = CollectorRegistry()
    registry.register(_Collector(health, submissions, traffic))
    return generate_latest(registry)


class _Collector(Collector):
    def __init__(self, health: Health, submissions: Mapping[str, int], traffic: Traffic) -> None:
        self._health = health
        self._submissions = submissions
        self._traffic = traffic

    def collect(self) -> Iterator[Metric]:
        """Every metric."""
        yield from self._of_health()
        yield from self._of_traffic()

    def _of_health(self) -> Iterator[Metric]:
        health, figures = self._health, self._health.figures
        build = GaugeMetricFamily(_PREFIX + "build", "The version that runs", labels=["version"])
        build.add_metric([__version__], 1)
        yield build
        yield _gauge("database_up", "Whether the database answers", health.database)
        yield _gauge("disk_has_room", "Whether the disk has room", health.disk)
        if health.hub is not None:
            yield _gauge("hub_up", "Whether the embedded Hub's database answers", health.hub)
        if not health.database:
            return
        states = GaugeMetricFamily(_PREFIX + "submissions", "Submissions by state", labels=["state"])
        for state, number in sorted(self._submissions.items()):
            states.add_metric([state], number)
        yield states
        yield _gauge("judges", "Judges that work", len(figures.judges))
        yield _gauge("webhook_backlog", "Deliveries to webhooks that are still to be made", figures.backlog)
        heard = GaugeMetricFamily(
            _PREFIX + "source_last_success_timestamp_seconds", "When a Hub answered last", labels=["source"]
        )
        for source, moment in sorted(figures.sources.items()):
            heard.add_metric([source], moment.timestamp() if moment else 0)
        yield heard

    def _of_traffic(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            _PREFIX + "requests", "Requests that were answered", labels=["method", "route", "status"]
        )
        for (method, route, status), number in sorted(self._traffic.requests.items()):
            requests.add_metric([method, route, str(status)], number)
        yield requests
        seconds = HistogramMetricFamily(_PREFIX + "request_seconds", "How long answers took", labels=["route"])
        for route, times in sorted(self._traffic.times.items()):
            seconds.add_metric([route], _buckets(times.counts), times.total)
        yield seconds
        yield _gauge("event_streams", "Event streams that are open", self._traffic.streams)


def _gauge(name: str, sentence: str, value: float) -> Metric:
    return GaugeMetricFamily(_PREFIX + name, sentence, value)


def _buckets(counts: list[int]) -> list[tuple[str, float]]:
    """Cumulative counts, as the format has them."""
    sums, total = [], 0
    for bound, count in zip([*map(str, BOUNDS), "+Inf"], counts, strict=True):
        total += count
        sums.append((bound, float(total)))
    return sums
