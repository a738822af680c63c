"""One line of a page, read by the full grammar alone."""

from __future__ import annotations

from msgspec import Struct

from watchdeck.collector.exposition.grammar import read_parts, read_series
from watchdeck.domain.metrics.series import LabelPairs


class Sample(Struct, frozen=True):
    name: str
    labels: LabelPairs
    value: float


def read_sample(line: bytes) -> Sample:
    """The sample of a line. Raises ParseError."""
    parts = read_parts(line)
    name, labels = read_series(parts)
    return Sample(name, labels, parts.value)
