"""A day of healthy servers with little traffic: what pages, and what is noticed.

`PYTHONPATH=tests python tests/benchmarks/quiet.py`: the pages of six kinds of server, each with an
SLO, get 0 to 3 requests a minute for 24 hours on a made-up clock, one request in two hundred
fails. Each scrape takes the collector's own way from the page on, and all packaged rules judge it.
To reach: no page, and at most two notices.
"""

from __future__ import annotations

import random
import time
from array import array
from collections import Counter

from benchmarks.page_fleet import START, PageFleet
from domain.kinds.captured_pages import BY_NAME, PAIRS, sheet
from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.series import Layout
from watchdeck.domain.settings.endpoint import Endpoint, Slo
from watchdeck.domain.signals.plan_builder import build_plan
from watchdeck.domain.values.units import Milliseconds, Ratio

NAMES = ("vllm", "mlserver", "triton", "bentoml", "kserve", "tf_serving")
EVERY = 30_000
DAY = 86_400_000
FAILURES = 0.005
SLO = Slo(Ratio(0.99), Milliseconds(1_000), Ratio(0.01))


class QuietServer:
    """The page of one kind under little traffic; gauges rest at half of what they were captured."""

    def __init__(self, kind: Kind, endpoint: Endpoint) -> None:
        self.layout, values = sheet(PAIRS[kind.name][1])
        self._plan = build_plan(kind, endpoint, self.layout)
        self._values = array("d", values)
        self._random = random.Random(kind.name)
        for place in set(self._plan.counters):
            self._values[place] = 0.0
        for place, series in enumerate(self.layout.series):
            if "usage" in series.name or "queue" in series.name or "waiting" in series.name:
                self._values[place] = min(self._values[place], 0.2)

    def page(self, at: int) -> tuple[Layout, array[float]]:
        """The page at a time (ms UTC): each counted request took 50 ms."""
        per_minute = (0.0, 0.5, 1.0, 3.0)[at // 3_600_000 % 4]
        requests = sum(self._random.random() < per_minute / 6 for _ in range(3))
        for _ in range(requests):
            self._count(failed=self._random.random() < FAILURES)
        return self.layout, self._values[:]

    def _count(self, *, failed: bool) -> None:
        """Count a request that took 50 ms: once in each family, in a series of its result."""
        counted = set[str]()
        for place in sorted(set(self._plan.counters)):
            series = self.layout.series[place]
            bound = series.label("le")
            if bound is not None:
                self._values[place] += float(bound) >= 0.05
            elif series.name.endswith(("_sum", "_us", "duration")):
                self._values[place] += 50_000 if series.name.endswith("_us") else 0.05
            elif _is_failure(str(series)) is failed and series.name not in counted:
                counted.add(series.name)
                self._values[place] += 1


def _is_failure(text: str) -> bool:
    words = ("fail", "error", '"5', "INTERNAL", "abort", "CANCEL", "postprocess")
    return any(word in text for word in words) and "postprocess" not in text


def main() -> int:
    """Play the day, and print what fired; returns 1 when that is too much."""
    fleet = [(Endpoint(f"{name}-model", "http://m:1", every=Milliseconds(EVERY), slo=SLO),
              BY_NAME[name]) for name in NAMES]  # fmt: skip
    servers = {endpoint.name: QuietServer(kind, endpoint) for endpoint, kind in fleet}
    began = time.monotonic()
    with PageFleet(fleet) as watched:
        for at in range(START, START + DAY, EVERY):
            pages = {name: server.page(at) for name, server in servers.items()}
            watched.scrape(at, pages, {})
        fired = watched.fired()
    found = Counter(
        (f"{alert.rule} of {alert.model}", int(episode.peak_severity)) for episode, alert in fired
    )
    for (rule, severity), count in found.most_common():
        print(f"  {count:>3} x {rule} (severity {severity})")
    paging = sum(count for (_, severity), count in found.items() if severity <= 2)
    print(f"{len(NAMES)} kinds, 24 h, 0 to 3 requests a minute: {paging} pages, "
          f"{sum(found.values()) - paging} notices, {time.monotonic() - began:.0f} s")  # fmt: skip
    return 1 if paging or sum(found.values()) > 2 else 0


if __name__ == "__main__":
    raise SystemExit(main())
