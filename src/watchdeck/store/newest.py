"""The newest scrapes as rows, for who looks at a thousand of them every second."""

from __future__ import annotations

from array import array
from sqlite3 import Connection
from typing import NamedTuple

from watchdeck.domain.scrape import Identity
from watchdeck.store.frames import values_of

_ALL = """
select endpoint, at, outcome, detail, failures, kind, model_state, model_detail, version,
    started_at, replicas, resets, cut_series, cut_labels, cut_duplicates, cut_malformed,
    not_measurable, layout, v
from latest order by endpoint
"""


class Newest(NamedTuple):
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


def read_newest(db: Connection) -> list[Newest]:
    """The newest scrape of every endpoint that ever had one, by its number."""
    return [Newest._make(row) for row in db.execute(_ALL).fetchall()]
