"""What the comments of a page declare: the type of each family."""

from __future__ import annotations

import re
from collections.abc import Iterable

from watchdeck.collector.exposition.grammar import BLANK, NAME, QUOTED, clean_label, read_name
from watchdeck.domain.metrics.series import SeriesType

_TYPE = re.compile(
    rb"^" + BLANK + rb"*+#" + BLANK + rb"++TYPE" + BLANK + rb"++"
    rb"(" + NAME + rb"|" + QUOTED + rb")" + BLANK + rb"++([a-z]++)" + BLANK + rb"*+$",
    re.MULTILINE,
)

TYPES = {
    "counter": SeriesType.COUNTER,
    "gauge": SeriesType.GAUGE,
    "histogram": SeriesType.HISTOGRAM,
    "summary": SeriesType.SUMMARY,
    "untyped": SeriesType.UNTYPED,
    "unknown": SeriesType.UNTYPED,
    "info": SeriesType.GAUGE,
    "stateset": SeriesType.GAUGE,
    "gaugehistogram": SeriesType.GAUGE,
}
"""The words of all formats."""

_COUNTER, _GAUGE, _HISTOGRAM, _SUMMARY = (
    SeriesType.COUNTER, SeriesType.GAUGE, SeriesType.HISTOGRAM, SeriesType.SUMMARY,
)  # fmt: skip
_ROWS = {
    "_bucket": {_HISTOGRAM: _HISTOGRAM, _GAUGE: _GAUGE},
    "_sum": {_HISTOGRAM: _HISTOGRAM, _SUMMARY: _SUMMARY},
    "_count": {_HISTOGRAM: _HISTOGRAM, _SUMMARY: _SUMMARY},
    "_gsum": {_GAUGE: _GAUGE},
    "_gcount": {_GAUGE: _GAUGE},
    "_total": {_COUNTER: _COUNTER},
    "_info": {_GAUGE: _GAUGE},
    "_created": {_COUNTER: _GAUGE, _HISTOGRAM: _GAUGE, _SUMMARY: _GAUGE},
}
"""Rows whose name is a family's and a suffix: their type, by the type of the family."""


class TypeComments(dict[str, SeriesType]):
    """The type of every name of a page; the declaration beats any suffix."""

    def __init__(self, comments: Iterable[bytes]) -> None:
        self._declared = dict(_declarations(comments))
        super().__init__(self._declared)

    def __missing__(self, name: str) -> SeriesType:
        kind = self[name] = self._of_row(name)
        return kind

    def _of_row(self, name: str) -> SeriesType:
        at = name.rfind("_")
        rows = _ROWS.get(name[at:]) if at > 0 else None
        family = self._declared.get(name[:at])
        if rows is None or family is None:
            return SeriesType.UNTYPED
        return rows.get(family, SeriesType.UNTYPED)


def _declarations(comments: Iterable[bytes]) -> Iterable[tuple[str, SeriesType]]:
    for name, word in _TYPE.findall(b"\n".join(comments)):
        kind = TYPES.get(word.decode())
        if kind is not None:
            yield clean_label(read_name(name)), kind
