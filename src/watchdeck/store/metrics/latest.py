"""The newest state: endpoints, their newest scrapes and raw responses, and the heartbeat."""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from sqlite3 import Connection
from typing import Any, NamedTuple

from msgspec.structs import asdict, replace

from watchdeck.domain.board.board import CollectorStatus, LatestScrape, SignalValue
from watchdeck.domain.metrics.scrape import (
    OUTCOMES,
    Identity,
    ModelState,
    Outcome,
    ResponseRecord,
    Scrape,
    Truncation,
)
from watchdeck.domain.metrics.signal import OUTCOME_COLUMN, SIGNALS
from watchdeck.domain.settings.endpoint import EndpointFacts, Resource, Slo
from watchdeck.domain.values.units import Milliseconds, Ratio, to_plain
from watchdeck.redaction import redact
from watchdeck.store.metrics.frames import LayoutTable, Stream, StreamWindow, decode_values
from watchdeck.store.metrics.raw import NewestRow, read_newest_row
from watchdeck.store.metrics.segments import DAY, SegmentCache

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
    replicas, resets, server_version, certificate, host, cut_series, cut_labels, cut_duplicates,
    cut_malformed, cut_stale, cut_out_of_range, not_measurable, remarks, server_wide, resources,
    expected, layout, v
) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (endpoint) do update set
    at = excluded.at, outcome = excluded.outcome, detail = excluded.detail,
    failures = excluded.failures, kind = excluded.kind, model_state = excluded.model_state,
    model_detail = excluded.model_detail, version = excluded.version,
    started_at = excluded.started_at, replicas = excluded.replicas, resets = excluded.resets,
    cut_series = excluded.cut_series, cut_labels = excluded.cut_labels,
    cut_duplicates = excluded.cut_duplicates, cut_malformed = excluded.cut_malformed,
    cut_stale = excluded.cut_stale, cut_out_of_range = excluded.cut_out_of_range,
    remarks = excluded.remarks, server_wide = excluded.server_wide,
    resources = excluded.resources, expected = excluded.expected,
    server_version = excluded.server_version, certificate = excluded.certificate,
    host = excluded.host,
    not_measurable = excluded.not_measurable, layout = excluded.layout, v = excluded.v
"""
_KINDS = """
select e.facts, l.kind from endpoint as e left join latest as l on l.endpoint = e.id
where e.retired_at is null order by e.id
"""
_LATEST = """
select e.facts, l.at, l.outcome, l.detail, l.failures, l.kind, l.model_state, l.model_detail,
    l.version, l.started_at, l.replicas, l.resets, l.server_version, l.certificate, l.host,
    l.cut_series, l.cut_labels, l.cut_duplicates, l.cut_malformed, l.cut_stale,
    l.cut_out_of_range, l.not_measurable, l.remarks, l.server_wide, l.resources, l.layout, l.v
from latest as l join endpoint as e on e.id = l.endpoint
where e.retired_at is null order by e.id
"""
_NO_RESOURCES: Mapping[str, str] = {}

_SAVE_HEARTBEAT = """
insert into heartbeat (one, beat) values (1, :beat)
on conflict (one) do update set beat = excluded.beat
"""
_HEARTBEAT = "select beat from heartbeat where one = 1"


def register_endpoints(db: Connection, facts: Sequence[EndpointFacts], at: int) -> dict[str, int]:
    """Store the configured endpoints and retire all others; returns each id by endpoint name.

    Runs in the caller's transaction. `at` (ms UTC) is the time of retirement; a retired endpoint
    keeps its history.
    """
    for one in facts:
        db.execute(_REGISTER, {"name": one.name, "facts": json.dumps(to_plain(one))})
    known = {one.name for one in facts}
    for _, name in read_endpoint_ids(db):
        if name not in known:
            db.execute(_RETIRE, {"at": at, "name": name})
    return {name: number for number, name in read_endpoint_ids(db) if name in known}


def read_endpoint_ids(db: Connection) -> list[tuple[int, str]]:
    """Id and name of every endpoint, retired ones included."""
    return db.execute(_ALL_ENDPOINTS).fetchall()


def save_latest(db: Connection, layouts: LayoutTable, endpoint: int, scrape: Scrape) -> None:
    """Store a scrape as the newest of its endpoint, in the caller's transaction."""
    identity, cut = scrape.identity, scrape.truncation
    row = (
        *(endpoint, scrape.at, scrape.outcome.value, redact(scrape.detail), scrape.failures),
        *(scrape.kind, scrape.model_state.value, redact(scrape.model_detail)),
        *(_redact_known(identity.version), identity.started_at, identity.replicas, identity.resets),
        *(_redact_known(identity.server_version), identity.certificate, identity.host),
        *(cut.series, cut.labels, cut.duplicates, cut.malformed, cut.stale, cut.out_of_range),
        *(" ".join(scrape.not_measurable), _json_text(scrape.remarks)),
        *(" ".join(scrape.server_wide), _json_text(scrape.resources)),
        " ".join(scrape.expected),
        *(layouts.id_of(scrape.signals.layout), scrape.signals.values.tobytes()),
    )
    db.execute(_SAVE, row)


def read_facts(db: Connection) -> tuple[EndpointFacts, ...]:
    """The stored configuration of every endpoint that is not retired."""
    return tuple(read_facts_by_id(db).values())


def read_facts_by_id(db: Connection) -> dict[int, EndpointFacts]:
    """The stored configuration of every endpoint that is not retired, by its id."""
    return {number: _parse_facts(text) for number, _, text in db.execute(_ENDPOINTS).fetchall()}


def read_kinds(db: Connection) -> tuple[tuple[EndpointFacts, str | None], ...]:
    """Every endpoint that is not retired, and the kind of its newest scrape; None without one."""
    rows = db.execute(_KINDS).fetchall()
    return tuple((_parse_facts(text), kind) for text, kind in rows)


def read_latest(db: Connection) -> tuple[LatestScrape, ...]:
    """The newest scrape of every endpoint that is not retired, in the order of endpoint ids.

    An endpoint that was never scraped is absent.
    """
    layouts = LayoutTable(db)
    rows = db.execute(_LATEST).fetchall()
    return tuple(_latest_scrape(_parse_facts(text), row, layouts) for text, *row in rows)


def read_latest_at(
    db: Connection, at: int, cache: SegmentCache | None = None
) -> tuple[LatestScrape, ...]:
    """The newest scrape of every endpoint at a past moment `at` (ms UTC), at most a day old then.

    An endpoint without such a scrape is absent. A scrape has only outcome and signals: no more is
    stored for the past. `cache` keeps unpacked rows for later calls.
    """
    layouts, cache = LayoutTable(db), cache or SegmentCache()
    found = []
    for number, _, text in db.execute(_ENDPOINTS).fetchall():
        row = read_newest_row(
            db, layouts, StreamWindow(number, Stream.SIGNALS, at - DAY, at + 1), cache
        )
        if row is not None:
            found.append(_past_scrape(_parse_facts(text), row))
    return tuple(found)


def _past_scrape(facts: EndpointFacts, row: NewestRow) -> LatestScrape:
    """A past scrape; the scrape interval in its facts is that of its own time."""
    outcome = OUTCOMES[int(row.values[row.columns.index(OUTCOME_COLUMN)])]
    failures = 0 if outcome is Outcome.OK else 1
    then = replace(facts, every=max(facts.every, row.interval))
    return LatestScrape(then, row.at, outcome, failures, signal_values(row.columns, row.values))


def _latest_scrape(facts: EndpointFacts, row: Sequence[Any], layouts: LayoutTable) -> LatestScrape:
    at, outcome, detail, failures, kind, state, state_detail, *rest = row
    identity, cut = rest[:7], rest[7:13]
    missing, remarks, server_wide, resources, layout, blob = rest[13:]
    return LatestScrape(
        facts=facts,
        at=at,
        outcome=Outcome(outcome),
        failures=failures,
        signals=signal_values(
            layouts.columns(layout),
            decode_values(blob),
            frozenset(server_wide.split()),
            parse_remarks(resources),
        ),
        detail=detail,
        kind=kind,
        model_state=ModelState(state),
        model_detail=state_detail,
        identity=Identity(*identity),
        cut=Truncation(*cut),
        not_measurable=tuple(missing.split()),
        remarks=parse_remarks(remarks),
    )


def signal_values(
    columns: Iterable[str],
    values: array[float],
    server_wide: frozenset[str] = frozenset(),
    resources: Mapping[str, str] = _NO_RESOURCES,
) -> dict[str, SignalValue]:
    """The signals of a scrape, by name; a NaN value is absent (it is not 0), and left out.

    `server_wide` are the signals that count other models of the server too, and `resources` the
    endpoints of the machines or devices whose pages gave a signal, by signal.
    """
    present = {c: v for c, v in zip(columns, values, strict=True) if not math.isnan(v)}
    return {
        name: SignalValue(
            value,
            SIGNALS[name].unit,
            present.get(f"{name}.low"),
            present.get(f"{name}.high"),
            present.get(f"{name}.window"),
            present.get(f"{name}.events"),
            name in server_wide,
            resources.get(name),
        )
        for name, value in present.items()
        if name in SIGNALS
    }


def _redact_known(text: str | None) -> str | None:
    return None if text is None else redact(text)


def _json_text(texts: dict[str, str]) -> str:
    return json.dumps({name: redact(text) for name, text in texts.items()}) if texts else ""


@lru_cache(maxsize=1_024)
def parse_remarks(text: str) -> dict[str, str]:
    """Texts by signal; cached, as most stay the same from one scrape to the next."""
    return json.loads(text) if text else {}


@lru_cache(maxsize=4_096)
def _parse_facts(text: str) -> EndpointFacts:
    """Parse an endpoint's configuration; cached, as parsing would be half the cost of a board."""
    raw = json.loads(text)
    slo = raw.pop("slo")
    for name in ("serves", "depends_on"):
        raw[name] = tuple(raw[name])
    raw["resources"] = tuple(map(_resource, raw["resources"]))
    return EndpointFacts(**raw, slo=_slo(**slo))


def _resource(stored: str | dict[str, Any]) -> Resource:
    """A stored resource; stores of earlier versions have its name alone."""
    return Resource(stored) if isinstance(stored, str) else Resource(**stored)


def _slo(availability: float | None, latency_p95: int | None, error_ratio: float | None) -> Slo:
    return Slo(
        None if availability is None else Ratio(availability),
        None if latency_p95 is None else Milliseconds(latency_p95),
        None if error_ratio is None else Ratio(error_ratio),
    )


def save_heartbeat(db: Connection, heartbeat: CollectorStatus) -> None:
    """Store the newest status of the collector, in the caller's transaction."""
    plain = to_plain(heartbeat)
    texts = {name: redact(value) for name, value in plain.items() if isinstance(value, str)}
    db.execute(_SAVE_HEARTBEAT, {"beat": json.dumps(plain | texts)})


def read_heartbeat(db: Connection) -> CollectorStatus | None:
    """The newest status of the collector; None when no collector ever ran on this store.

    Fields that a newer collector adds are ignored.
    """
    row = db.execute(_HEARTBEAT).fetchone()
    if row is None:
        return None
    stored = json.loads(row[0])
    return CollectorStatus(
        **{name: stored[name] for name in CollectorStatus.__struct_fields__ if name in stored}
    )


_LATEST_ROWS = """
select endpoint, at, outcome, detail, failures, kind, model_state, model_detail, version,
    started_at, replicas, resets, server_version, certificate, host, not_measurable, remarks,
    server_wide, expected, layout, v
from latest order by endpoint
"""


class LatestRow(NamedTuple):
    """The stored row of an endpoint's newest scrape; its values are decoded only on use."""

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
    server_version: str | None
    certificate: str | None
    host: str | None
    not_measurable: str
    remarks: str
    server_wide: str
    expected: str
    layout: int
    blob: bytes

    @property
    def values(self) -> array[float]:
        """The signal values, in the order of the layout's columns; NaN for an absent one."""
        return decode_values(self.blob)

    @property
    def identity(self) -> Identity:
        """The identity of the server that responded."""
        return Identity(
            *(self.version, self.started_at, self.replicas, self.resets),
            *(self.server_version, self.certificate, self.host),
        )


def read_latest_rows(db: Connection) -> list[LatestRow]:
    """The newest scrape of every endpoint, retired ones included, in the order of endpoint ids."""
    return [LatestRow._make(row) for row in db.execute(_LATEST_ROWS).fetchall()]


_DELETE_RESPONSES = "delete from exchange where endpoint = :endpoint"

_INSERT_RESPONSE = """
insert into exchange (endpoint, asked, at, status, headers, body)
values (:endpoint, :asked, :at, :status, :headers, :body)
"""

_RESPONSES = """
select x.asked, x.at, x.status, x.headers, x.body from exchange as x
join endpoint as e on e.id = x.endpoint where e.name = :name order by x.id
"""


def save_responses(db: Connection, endpoint: int, responses: Sequence[ResponseRecord]) -> None:
    """Replace the stored raw responses of an endpoint, in the caller's transaction."""
    db.execute(_DELETE_RESPONSES, {"endpoint": endpoint})
    db.executemany(_INSERT_RESPONSE, [{"endpoint": endpoint} | asdict(one) for one in responses])


def read_responses(db: Connection, endpoint: str) -> tuple[ResponseRecord, ...]:
    """The last raw responses of one endpoint, in the order of its requests; empty if none."""
    return tuple(
        ResponseRecord(*row) for row in db.execute(_RESPONSES, {"name": endpoint}).fetchall()
    )
