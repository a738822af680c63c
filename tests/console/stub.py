"""A real console on this terminal, with boards made by hand: `python stub.py FLEET [CONFIG]`.

FLEET is small, still (small, by a clock that stands), large, live (large, one row of ten moves
each second), hostile, or defect (small, with a history that fails as nothing should).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).parents[1]))

from console import boards
from watchdeck.console.app import Console
from watchdeck.console.run import drive
from watchdeck.console.state.services import Services
from watchdeck.domain.board.board import Board, Health, History, Model
from watchdeck.domain.metrics.scrape import ResponseRecord

HOSTILE = (
    "\x1b]0;PWNED\x07title",
    "\x1b]52;c;UFdORUQ=\x1b\\clipboard",
    "\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\",
    "\x1b[2J\x1b[31mred\x9b31m",
    "[/nope] [red]markup[/red] [@click=app.quit]click[/]",
    "bidi \u202eend\u2066 zero\u200bwidth \x00nul \x08\x7f",
    "wide 模型 emoji 🚀 combining e\u0301 surrogate \ud800",
    "x\\ $x [$x] {x} %s `id`",
)
"""What an endpoint may call itself."""


def hostile_fleet() -> tuple[Model, ...]:
    """Every string of a model is hostile, as if nothing had cleaned it at intake."""
    return tuple(_hostile(text) for text in HOSTILE)


def _hostile(text: str) -> Model:
    facts = replace(boards.facts(text), url=text, owner=text, model=text)
    seen = replace(
        boards.latest(text),
        facts=facts,
        detail=text,
        kind=text,
        model_detail=text,
        identity=replace(boards.latest(text).identity, version=text),
    )
    return Model(facts, Health.WARNING, text, boards.NOW - 60_000, seen)


def shifted(models: Sequence[Model], by: int) -> tuple[Model, ...]:
    """The same models, seen by a clock that runs."""
    return tuple(
        replace(
            one,
            since=None if one.since is None else one.since + by,
            latest=one.latest and replace(one.latest, at=one.latest.at + by),
        )
        for one in models
    )


class Source(boards.Uneventful):
    """Boards of one fleet; a live one changes each second."""

    def __init__(self, fleet: str) -> None:
        self._fleet = fleet
        self._asked = 0

    def has_changed(self) -> bool:
        before, self._asked = self._asked, clock() // 1_000
        return self._fleet == "live" and self._asked != before

    def board(self, now: int, at: int | None = None) -> Board:
        by = now - boards.NOW
        collector = boards.collector(at=now - 500, started_at=now - 11_100_000)
        made = boards.board(shifted(self._models(now), by), collector=collector, at=at or now)
        return replace(made, metrics_at=now - 700, live=at is None)

    def _models(self, now: int) -> tuple[Model, ...]:
        if self._fleet == "hostile":
            return hostile_fleet()
        if self._fleet in ("small", "still", "defect"):
            return boards.small_fleet()
        return boards.large_fleet(200, now // 1_000 if self._fleet == "live" else 0)

    def history(
        self,
        endpoint: str,  # noqa: ARG002 - the same wave for everyone
        columns: Sequence[str],
        start: int,
        end: int,
        points: int | None = None,
    ) -> tuple[History, ...]:
        if self._fleet == "defect" and points is not None:  # only a chart is thinned
            raise RuntimeError(HOSTILE[0])
        return tuple(boards.history(column, end, end - start) for column in columns)

    def responses(self, endpoint: str) -> tuple[ResponseRecord, ...]:  # noqa: ARG002 - all answer alike
        body = "\n".join(HOSTILE) if self._fleet == "hostile" else "up 1\n" * 40
        return (ResponseRecord("/metrics", boards.NOW, 200, "server: stub", body),)

    def close(self) -> None:
        """Nothing is open."""


def clock() -> int:
    return time.time_ns() // 1_000_000


def main() -> int:
    fleet = sys.argv[1] if len(sys.argv) > 1 else "small"
    store = boards.Store()
    time_of = boards.clock if fleet == "still" else clock
    services = Services(config=Path(sys.argv[2])) if len(sys.argv) > 2 else None
    return drive(
        Console(store, clock=time_of, open_source=lambda: Source(fleet), services=services)
    )


if __name__ == "__main__":
    sys.exit(main())
