"""Statistics of the scrape loop: lateness, durations, counts; and a check of our own network."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from msgspec import Struct

from watchdeck.domain.metrics.scrape import Outcome, Scrape
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.values.host_address import is_loopback

RECENT = 60.0
"""Seconds for which durations and lags are stored."""

UNREACHABLE = frozenset((Outcome.DNS, Outcome.TIMED_OUT, Outcome.UNREACHABLE))
"""Outcomes that a broken network of the collector causes; any other proves that a host answers."""

MIN_HOSTS = 2
"""Fewest unreachable hosts that show a broken network: one alone may be down by itself."""


class Statistics(Struct, frozen=True):
    """Statistics of the scrape loop; counts are cumulative since it started."""

    lag: float = 0.0
    """The worst delay of a scrape's start in the last minute (s)."""
    scrape_p50: float | None = None
    """The median duration of a scrape in the last minute (s)."""
    scrape_p95: float | None = None
    scrapes: int = 0
    failed: int = 0
    samples: int = 0
    cut: int = 0
    """Series and lines that were left out of pages."""
    in_flight: int = 0
    """Scrapes running now."""
    overrun: int = 0
    """Scrapes that were left out because the one before had not ended."""
    blind: str = ""
    """Why no endpoint at all can be reached, or empty."""


class ScrapeStats:
    """Counts scrapes; `count` is called on the loop's thread, `statistics` on any."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, float, float]] = deque()
        self._scrapes = 0
        self._failed = 0
        self._samples = 0
        self._cut = 0
        self.in_flight = 0
        self.overrun = 0

    def count(self, scrape: Scrape, now: float, lag: float) -> None:
        """Count a scrape that ended at `now` (monotonic seconds) and began `lag` seconds late."""
        self._scrapes += 1
        self._failed += scrape.outcome is not Outcome.OK
        self._samples += len(scrape.series.values) if scrape.series else 0
        self._cut += scrape.truncation.total
        self._recent.append((now, scrape.duration, lag))
        while self._recent[0][0] < now - RECENT:
            self._recent.popleft()

    def statistics(self, blind: str = "") -> Statistics:
        """The statistics up to now; `blind` is why no endpoint can be reached, or empty."""
        recent = self._recent.copy()  # in one step: the loop goes on adding
        durations = sorted(duration for _, duration, _ in recent)
        return Statistics(
            lag=max((lag for _, _, lag in recent), default=0.0),
            scrape_p50=_quantile(durations, 0.5),
            scrape_p95=_quantile(durations, 0.95),
            scrapes=self._scrapes,
            failed=self._failed,
            samples=self._samples,
            cut=self._cut,
            in_flight=self.in_flight,
            overrun=self.overrun,
            blind=blind,
        )


def _quantile(ordered: Sequence[float], quantile: float) -> float | None:
    return ordered[int(quantile * (len(ordered) - 1))] if ordered else None


class ConnectivityCheck:
    """Detects that the collector itself has no network: models are then unknown, not down.

    Never reports this if all endpoints are on one host, or if one is on this machine.
    """

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._names = [endpoint.name for endpoint in endpoints]
        hosts = {_host(endpoint.url) for endpoint in endpoints}
        self._hosts = len(hosts)
        self._is_conclusive = len(hosts) >= MIN_HOSTS and not any(map(is_loopback, hosts))

    def reason(self, outcomes: Mapping[str, Outcome]) -> str:
        """Why no endpoint at all can be reached; empty when one can, or might.

        `outcomes` are the latest by endpoint; the result is empty until every endpoint has one.
        """
        latest = [outcomes.get(name) for name in self._names]
        if not self._is_conclusive or not all(outcome in UNREACHABLE for outcome in latest):
            return ""
        counts = Counter(map(str, latest))
        words = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
        return f"none of {len(latest)} endpoints on {self._hosts} hosts can be reached ({words})"


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
