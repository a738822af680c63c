"""Boards made by hand, for the console's tests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

from msgspec.structs import replace

from watchdeck.console.lines.line import DotStyle
from watchdeck.console.state.board_source import BoardProblem, BoardSnapshot
from watchdeck.console.state.queries import HistoryQuery, HistoryResult
from watchdeck.console.state.view_state import ViewSettings
from watchdeck.console.theme.styles import StyleSheet
from watchdeck.console.theme.themes import load_palette
from watchdeck.domain.board.board import (
    AlertHistory,
    Board,
    Change,
    Collector,
    CollectorState,
    CollectorStatus,
    Health,
    HealthChange,
    History,
    LatestScrape,
    Model,
    SignalValue,
)
from watchdeck.domain.metrics.scrape import (
    Identity,
    ModelState,
    Outcome,
    ResponseRecord,
    Truncation,
)
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.settings.endpoint import EndpointFacts, Slo
from watchdeck.domain.values.units import Milliseconds
from watchdeck.resources import folder

NOW = 1_795_410_000_000
"""2026-11-23 05:00:00 UTC."""


_SLOW = "latency_p95 412 ms > 400 ms"


def clock() -> int:
    return NOW


def reading(
    name: str, value: float, low: float | None = None, high: float | None = None
) -> SignalValue:
    return SignalValue(value, SIGNALS[name].unit, low, high)


def signals(p95: float = 0.0199, rate: float = 41.2) -> dict[str, SignalValue]:
    return {
        "up": reading("up", 1),
        "ready": reading("ready", 1),
        "availability": reading("availability", 0.9972),
        "request_rate": reading("request_rate", rate),
        "error_ratio": reading("error_ratio", 0.0042),
        "latency_p50": reading("latency_p50", p95 / 3, 0.005, 0.01),
        "latency_p95": reading("latency_p95", p95, p95 * 0.5, p95 * 1.25),
        "latency_p99": reading("latency_p99", p95 * 1.4, p95 * 1.25, p95 * 2.5),
        "latency_mean": reading("latency_mean", p95 / 2),
        "in_flight": reading("in_flight", 3),
        "saturation": reading("saturation", 0.62),
        "memory_bytes": reading("memory_bytes", 1.3e9),
        "scrape_duration": reading("scrape_duration", 0.0121),
    }


def facts(name: str, **changes: object) -> EndpointFacts:
    known = EndpointFacts(
        name=name,
        url=f"http://10.0.0.7:8080/v2/models/{name}",
        every=10_000,
        model=name,
        owner="risk",
        tier=1,
        slo=Slo(latency_p95=Milliseconds(200)),
    )
    return replace(known, **changes)


def latest(name: str, at: int = NOW - 3_000, **changes: object) -> LatestScrape:
    one = LatestScrape(
        facts=facts(name),
        at=at,
        outcome=Outcome.OK,
        failures=0,
        signals=signals(),
        kind="mlserver",
        model_state=ModelState.READY,
        identity=Identity("1.6.0", NOW - 3 * 86_400_000, 2),
        not_measurable=("gpu_utilization", "kv_cache_usage", "ttft_p95"),
    )
    return replace(one, **changes)


def model(
    name: str,
    health: Health = Health.OK,
    why: str = "ready, within its SLO",
    since: int | None = NOW - 7_500_000,
    seen: LatestScrape | None = None,
) -> Model:
    found = seen or latest(name)
    return Model(found.facts, health, why, since, found)


def collector(state: CollectorState = CollectorState.RUNNING, **changes: object) -> Collector:
    beat = CollectorStatus(
        pid=4711,
        version="0.1.0",
        started_at=NOW - 11_100_000,
        at=NOW - 1_000,
        endpoints=8,
        scrapes=8_880,
        failed=12,
        samples=4_100_000,
        queued=2,
        in_flight=1,
        lag=0.0031,
        scrape_p50=0.012,
        scrape_p95=0.084,
    )
    return Collector(state, replace(beat, **changes))


def small_fleet() -> tuple[Model, ...]:
    """Eight models, every health among them."""
    fraud = latest("fraud-detector", signals=signals(0.412, 132.0))
    refused = latest(
        "churn",
        outcome=Outcome.REFUSED,
        failures=7,
        detail="connection refused by 10.0.0.7:8080",
        signals={"up": reading("up", 0), "scrape_duration": reading("scrape_duration", 0.002)},
        model_state=ModelState.UNKNOWN,
    )
    night = latest(
        "night-batch",
        kind="torchserve",
        signals={"up": reading("up", 1)},
        cut=Truncation(series=12),
    )
    return (
        model("fraud-detector", Health.CRITICAL, _SLOW, NOW - 200_000, fraud),
        model("churn", Health.DOWN, "failed scrapes in a row: refused", NOW - 65_000, refused),
        model("search-ranker", Health.WARNING, "saturation 93 % > 90 %", NOW - 1_900_000),
        model("night-batch", Health.UNKNOWN, "no fresh sample for 3m", NOW - 180_000, night),
        model("embeddings"),
        model("recommender", seen=latest("recommender", signals=signals(0.043, 1_250.0))),
        model("summariser", seen=latest("summariser", kind="vllm", signals=signals(1.9, 7.5))),
        model("vision-ocr"),
    )


def board(models: Sequence[Model] | None = None, **changes: object) -> Board:
    made = Board(
        at=NOW,
        live=True,
        collector=collector(),
        models=tuple(small_fleet() if models is None else models),
        metrics_at=NOW - 1_000,
        state_at=NOW - 30_000,
    )
    return replace(made, **changes)


def snapshot(made: Board | None = None) -> BoardSnapshot:
    return BoardSnapshot(made or board(), BoardProblem.NONE, "")


def large_fleet(count: int, tick: int = 0) -> tuple[Model, ...]:
    """Many models whose figures differ from tick to tick in one row of ten."""
    return tuple(
        model(
            f"model-{index:03d}",
            _HEALTHS[index % len(_HEALTHS)],
            seen=latest(
                f"model-{index:03d}",
                signals=signals(0.02 + index / 1_000 + (tick / 1e4 if index % 10 == 0 else 0)),
            ),
        )
        for index in range(count)
    )


_HEALTHS = (Health.OK,) * 7 + (Health.WARNING, Health.CRITICAL, Health.DOWN, Health.UNKNOWN)


def history(column: str = "latency_p95", end: int = NOW, span: int = 3_600_000) -> History:
    """A wave with a climb at its end and a gap in the middle."""
    every = 15_000
    times = [at for at in range(end - span, end, every) if not 0.4 < (end - at) / span < 0.5]
    values = [_wave(1 - (end - at) / span) for at in times]
    return History(column, every, times, values)


def _wave(share: float) -> float:
    climb = 0.25 * max(0.0, share - 0.75) / 0.25
    return 0.11 + 0.03 * math.sin(share * 19) + 0.008 * math.sin(share * 230) + climb


def settings(dots: DotStyle = DotStyle.BRAILLE) -> ViewSettings:
    styles = StyleSheet(load_palette(folder("themes") / "dark.toml"), ascii=dots is DotStyle.ASCII)
    return ViewSettings(styles, dots, UTC, "/home/ops/.local/state/watchdeck")


class Uneventful:
    """The part of a store where nothing ever happened."""

    def changes(
        self,
        start: int,  # noqa: ARG002
        end: int,  # noqa: ARG002
        endpoint: str | None = None,  # noqa: ARG002
    ) -> tuple[Change, ...]:
        return ()

    def responses(self, endpoint: str) -> tuple[ResponseRecord, ...]:  # noqa: ARG002
        return ()

    def alert_history(self, episode: int, at: int) -> AlertHistory | None:  # noqa: ARG002
        return None

    def health_history(
        self,
        endpoint: str,  # noqa: ARG002
        start: int,  # noqa: ARG002
        end: int,  # noqa: ARG002
    ) -> tuple[HealthChange, ...]:
        return ()


def found(wanted: HistoryQuery, *changes: Change) -> HistoryResult:
    """The same wave for every signal, half as high for each that follows."""
    span = wanted.end - wanted.start
    wave = history(wanted.columns[0], wanted.end, span)
    made = [
        replace(wave, column=column, values=[value / 2**place for value in wave.values])
        for place, column in enumerate(wanted.columns)
        if "." not in column
    ]
    before = replace(wave, values=[value * 0.7 for value in wave.values])
    return HistoryResult(tuple(made), before if wanted.earlier else None, changes)


class Store:
    """A place without a store, for consoles whose boards are posted by hand."""

    def __init__(self, path: Path = Path("/srv/store"), holder: int | None = None) -> None:
        self._path = path
        self.holder = holder

    @property
    def path(self) -> Path:
        return self._path

    def lock_holder(self) -> int | None:
        return self.holder
