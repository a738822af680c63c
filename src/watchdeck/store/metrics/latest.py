"""The newest scrape of every endpoint, and the collector's heartbeat."""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Iterable, Sequence
from functools import lru_cache
from sqlite3 import Connection
from typing import Any, NamedTuple

from msgspec.structs import replace

from watchdeck.domain.board.board import CollectorStatus, LatestScrape, SignalValue
from watchdeck.domain.metrics.scrape import (
    OUTCOMES,
    Identity,
    ModelState,
    Outcome,
    Scrape,
    Truncation,
)
from watchdeck.domain.metrics.signal import OUTCOME_COLUMN, SIGNALS
from watchdeck.domain.settings.facts import EndpointFacts
from watchdeck.domain.values.plain import to_plain
from watchdeck.domain.values.slo import Slo
from watchdeck.domain.values.units import Milliseconds, Ratio
from watchdeck.store.metrics.frames import Stream, Window, values_of
from watchdeck.store.metrics.layouts import LayoutTable
from watchdeck.store.metrics.raw import NewestRow, newest_row
from watchdeck.store.metrics.segment_cache import SegmentCache

_REGISTER = """
insert into endpoint (id, name, facts, retired_at)
select coalesce(max(id), 0) + 1, :name, :facts, null from endpoint where true
on conflict (name) do update set facts = excluded.facts, retired_at = null
"""
_RETIRE = "update endpoint set retired_at = :at where retired_at is null and name = :name"
_ENDPOINTS = "select id, name, facts from endpoint where retired_at is null order by id"
_ALL_ENDPOINTS = "select id, name from endpoint order by id"

_SAVE = """
insert into latest (
    endpoint, at, outcome, detail, failures, kind, model_state, model_detail, version, started_at,
    replicas, resets, cut_series, cut_labels, cut_duplicates, cut_malformed, not_measurable,
    layout, v
) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (endpoint) do update set
    at = excluded.at, outcome = excluded.outcome, detail = excluded.detail,
    failures = excluded.failures, kind = excluded.kind, model_state = excluded.model_state,
    model_detail = excluded.model_detail, version = excluded.version,
    started_at = excluded.started_at, replicas = excluded.replicas, resets = excluded.resets,
    cut_series = excluded.cut_series, cut_labels = excluded.cut_labels,
    cut_duplicates = excluded.cut_duplicates, cut_malformed = excluded.cut_malformed,
    not_measurable = excluded.not_measurable, layout = excluded.layout, v = excluded.v
"""
_LATEST = """
select e.facts, l.at, l.outcome, l.detail, l.failures, l.kind, l.model_state, l.model_detail,
    l.version, l.started_at, l.replicas, l.resets, l.cut_series, l.cut_labels, l.cut_duplicates,
    l.cut_malformed, l.not_measurable, l.layout, l.v
from latest as l join endpoint as e on e.id = l.endpoint
where e.retired_at is null order by e.id
"""
_BEAT = """
insert into heartbeat (one, beat) values (1, :beat)
on conflict (one) do update set beat = excluded.beat
"""
_LAST_BEAT = "select beat from heartbeat where one = 1"

_A_DAY = 86_400_000


def register(db: Connection, facts: Sequence[EndpointFacts], at: int) -> dict[str, int]:
    """Make the fleet known, retire who is no longer in it; returns each endpoint's number.

    Inside the caller's transaction. A retired endpoint keeps its history.
    """
    for one in facts:
        db.execute(_REGISTER, {"name": one.name, "facts": json.dumps(to_plain(one))})
    known = {one.name for one in facts}
    for _, name in endpoints(db):
        if name not in known:
            db.execute(_RETIRE, {"at": at, "name": name})
    return {name: number for number, name in endpoints(db) if name in known}


def endpoints(db: Connection) -> list[tuple[int, str]]:
    """Number and name of every endpoint ever watched."""
    return db.execute(_ALL_ENDPOINTS).fetchall()


def save_latest(db: Connection, layouts: LayoutTable, endpoint: int, scrape: Scrape) -> None:
    """Make a scrape the newest of its endpoint, inside the caller's transaction."""
    identity, cut = scrape.identity, scrape.cut
    row = (
        *(endpoint, scrape.at, scrape.outcome.value, scrape.detail, scrape.failures, scrape.kind),
        *(scrape.model_state.value, scrape.model_detail),
        *(identity.version, identity.started_at, identity.replicas, identity.resets),
        *(cut.series, cut.labels, cut.duplicates, cut.malformed),
        *(" ".join(scrape.not_measurable), layouts.id_of(scrape.signals.layout)),
        scrape.signals.values.tobytes(),
    )
    db.execute(_SAVE, row)


def read_facts(db: Connection) -> tuple[EndpointFacts, ...]:
    """The fleet as it is configured now."""
    return tuple(read_numbered(db).values())


def read_numbered(db: Connection) -> dict[int, EndpointFacts]:
    """The fleet as it is configured now, by the number that each endpoint has in the store."""
    return {number: _facts(text) for number, _, text in db.execute(_ENDPOINTS).fetchall()}


def read_latest(db: Connection) -> tuple[LatestScrape, ...]:
    """The newest scrape of every endpoint that is watched, by the order of their first sight."""
    layouts = LayoutTable(db)
    rows = db.execute(_LATEST).fetchall()
    return tuple(_latest(_facts(text), row, layouts) for text, *row in rows)


def read_latest_at(
    db: Connection, at: int, near: SegmentCache | None = None
) -> tuple[LatestScrape, ...]:
    """The newest scrape of every endpoint at a moment of the past, at most a day before it.

    Only signals were kept for the past: what else a scrape said is unknown. `near` remembers what
    was unpacked, for the next moment.
    """
    layouts, near = LayoutTable(db), near or SegmentCache()
    found = []
    for number, _, text in db.execute(_ENDPOINTS).fetchall():
        row = newest_row(db, layouts, Window(number, Stream.SIGNALS, at - _A_DAY, at + 1), near)
        if row is not None:
            found.append(_past(_facts(text), row))
    return tuple(found)


def _past(facts: EndpointFacts, row: NewestRow) -> LatestScrape:
    """A scrape of the past, expected as often as there was one then."""
    outcome = OUTCOMES[int(row.values[row.columns.index(OUTCOME_COLUMN)])]
    failures = 0 if outcome is Outcome.OK else 1
    then = replace(facts, every=max(facts.every, row.spacing))
    return LatestScrape(then, row.at, outcome, failures, readings(row.columns, row.values))


def _latest(facts: EndpointFacts, row: Sequence[Any], layouts: LayoutTable) -> LatestScrape:
    at, outcome, detail, failures, kind, state, words, *rest = row
    version, started, replicas, resets, *cut, missing, layout, blob = rest
    return LatestScrape(
        facts=facts,
        at=at,
        outcome=Outcome(outcome),
        failures=failures,
        signals=readings(layouts.columns(layout), values_of(blob)),
        detail=detail,
        kind=kind,
        model_state=ModelState(state),
        model_detail=words,
        identity=Identity(version, started, replicas, resets),
        cut=Truncation(*cut),
        not_measurable=tuple(missing.split()),
    )


def readings(columns: Iterable[str], values: array[float]) -> dict[str, SignalValue]:
    """The signals that a frame holds a value for; what is NaN is absent, never 0."""
    given = {c: v for c, v in zip(columns, values, strict=True) if not math.isnan(v)}
    return {
        name: SignalValue(
            value, SIGNALS[name].unit, given.get(f"{name}.low"), given.get(f"{name}.high")
        )
        for name, value in given.items()
        if name in SIGNALS
    }


@lru_cache(maxsize=4_096)
def _facts(text: str) -> EndpointFacts:
    """The facts in a row; they change with the configuration alone, and cost half of a board."""
    raw = json.loads(text)
    slo = raw.pop("slo")
    for name in ("serves", "depends_on", "resources"):
        raw[name] = tuple(raw[name])
    return EndpointFacts(**raw, slo=_slo(**slo))


def _slo(availability: float | None, latency_p95: int | None, error_ratio: float | None) -> Slo:
    return Slo(
        None if availability is None else Ratio(availability),
        None if latency_p95 is None else Milliseconds(latency_p95),
        None if error_ratio is None else Ratio(error_ratio),
    )


def save_heartbeat(db: Connection, beat: CollectorStatus) -> None:
    """Keep the newest heartbeat, inside the caller's transaction."""
    db.execute(_BEAT, {"beat": json.dumps(to_plain(beat))})


def read_heartbeat(db: Connection) -> CollectorStatus | None:
    """The newest heartbeat; None when no collector ever ran.

    What a newer collector says of itself beyond what is known here is left out.
    """
    row = db.execute(_LAST_BEAT).fetchone()
    if row is None:
        return None
    said = json.loads(row[0])
    return CollectorStatus(
        **{name: said[name] for name in CollectorStatus.__struct_fields__ if name in said}
    )


_ALL = """
select endpoint, at, outcome, detail, failures, kind, model_state, model_detail, version,
    started_at, replicas, resets, cut_series, cut_labels, cut_duplicates, cut_malformed,
    not_measurable, layout, v
from latest order by endpoint
"""


class LatestRow(NamedTuple):
    """One endpoint's newest scrape; `values` are in the order of its layout's columns."""

    endpoint: int
    at: int
    outcome: str
    detail: str
    failures: int
    kind: str | None
    model_state: str
    model_detail: str
    version: str | None
    started_at: int | None
    replicas: int | None
    resets: int
    cut_series: int
    cut_labels: int
    cut_duplicates: int
    cut_malformed: int
    not_measurable: str
    layout: int
    blob: bytes

    @property
    def values(self) -> array[float]:
        """The values of its signals; an absent one is NaN."""
        return values_of(self.blob)

    @property
    def identity(self) -> Identity:
        """Who answered."""
        return Identity(self.version, self.started_at, self.replicas, self.resets)


def read_newest(db: Connection) -> list[LatestRow]:
    """The newest scrape of every endpoint that ever had one, by its number."""
    return [LatestRow._make(row) for row in db.execute(_ALL).fetchall()]
