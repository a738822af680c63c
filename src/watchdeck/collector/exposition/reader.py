"""Reads the pages of all endpoints, at the cheapest level that is right for each."""

from __future__ import annotations

import math
from array import array
from collections import deque
from dataclasses import dataclass, field

from watchdeck.collector.exposition.grammar import (
    MAX_LINE,
    Malformed,
    NotMetrics,
    Sample,
    read_line,
    read_type,
    read_value,
    type_of,
)
from watchdeck.collector.exposition.skeleton import Skeleton
from watchdeck.domain.scrape import Cut
from watchdeck.domain.series import Layout, Series, SeriesType
from watchdeck.domain.text import clean

_CACHED_LINES = 200_000
"""Line prefixes remembered over all endpoints; above it the memory is begun anew."""

_LAYOUTS_REMEMBERED = 4_096
_LAYOUTS_AN_ENDPOINT = 16
"""An endpoint that shows more layouts than this keeps one union of them, with NaN for absent."""

_READS_REMEMBERED = 360

_REASONS = ("series", "labels", "duplicates", "malformed")


@dataclass(frozen=True, slots=True)
class Page:
    """What was read: a shared layout, its values, what was left out, and at which level."""

    layout: Layout
    values: array[float]
    cut: Cut
    level: str


@dataclass(slots=True)
class _Known:
    """What is known of one endpoint's pages."""

    skeleton: Skeleton | None = None
    recent: deque[Layout] = field(default_factory=lambda: deque(maxlen=_READS_REMEMBERED))
    union: Layout | None = None


@dataclass(slots=True)
class _Draft:
    """A page while it is read line by line."""

    values: dict[Series, float] = field(default_factory=dict)
    samples: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    others: list[int] = field(default_factory=list)
    types: dict[str, SeriesType] = field(default_factory=dict)
    plain: bool = True
    hits: bool = True
    cut: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_REASONS, 0))


class PageReader:
    """One for all endpoints of equal bounds: equal pages share one Layout, whoever sent them."""

    def __init__(
        self,
        *,
        max_series: int = 5_000,
        max_labels: int = 30,
        max_label_name: int = 200,
        max_label_value: int = 1_024,
    ) -> None:
        self._max_series = max_series
        self._max_labels = max_labels
        self._max_name = max_label_name
        self._max_value = max_label_value
        self._known: dict[str, _Known] = {}
        self._layouts: dict[tuple[Series, ...], Layout] = {}
        self._skeletons: dict[tuple[int, tuple[Series, ...]], Skeleton] = {}
        self._lines: dict[bytes, tuple[str, tuple[tuple[str, str], ...]] | None] = {}

    def read(self, key: str, body: bytes, content_type: str = "") -> Page:
        """Read a page of the endpoint `key`. An empty body is a page without series.

        Raises NotMetrics when most lines are no samples at all.
        """
        known = self._known.setdefault(key, _Known())
        lines = body.split(b"\n")
        if known.skeleton is not None:
            values = known.skeleton.values(lines)
            if values is not None:
                return Page(known.skeleton.layout, values, Cut(), "positional")
        return self._learn(known, lines, content_type)

    def _learn(self, known: _Known, lines: list[bytes], content_type: str) -> Page:
        draft = _Draft()
        for number, line in enumerate(lines):
            self._line(draft, number, line)
        cut = Cut(**draft.cut)
        if cut.malformed > len(draft.values):
            raise NotMetrics(_instead(lines, content_type))
        layout = self._shared(tuple(draft.values))
        values = array("d", draft.values.values())
        known.skeleton = None
        if draft.plain and not cut.total:
            known.skeleton = self._skeleton(draft, lines, layout)
        level = "cached" if draft.hits and draft.values else "grammar"
        return self._united(known, layout, values, cut, level)

    def _line(self, draft: _Draft, number: int, line: bytes) -> None:
        bare = line.strip()
        if not bare or bare.startswith(b"#"):
            draft.others.append(number)
            declared = read_type(bare.decode(errors="replace")) if bare else None
            if declared is not None:
                draft.types[declared[0]] = declared[1]
            return
        try:
            name, labels, value, start = self._sample(draft, line)
        except Malformed:
            draft.cut["malformed"] += 1
            return
        self._keep(draft, name, labels, value, (number, start))

    def _sample(
        self, draft: _Draft, line: bytes
    ) -> tuple[str, tuple[tuple[str, str], ...], float, int]:
        prefix, _, last = line.rpartition(b" ")
        if prefix in self._lines and (series := self._lines[prefix]) is not None:
            return *series, read_value(last.decode(errors="replace")), len(prefix) + 1
        draft.hits = False
        if len(line) > MAX_LINE:
            raise Malformed("the line is too long")
        sample = read_line(line.decode(errors="replace").rstrip("\r"))
        start = len(line.decode(errors="replace")[: sample.start].encode())
        if sample.plain and start == len(prefix) + 1 and not line.endswith(b"\r"):
            self._remember(prefix, sample)
        else:
            draft.plain = False
        return sample.name, sample.labels, sample.value, start

    def _remember(self, prefix: bytes, sample: Sample) -> None:
        if len(self._lines) >= _CACHED_LINES:
            self._lines.clear()
        self._lines[prefix] = (sample.name, sample.labels)

    def _keep(
        self,
        draft: _Draft,
        name: str,
        labels: tuple[tuple[str, str], ...],
        value: float,
        place: tuple[int, int],
    ) -> None:
        bounded = len(labels) <= self._max_labels and len(name) <= self._max_name
        if not bounded or any(
            len(key) > self._max_name or len(text) > self._max_value for key, text in labels
        ):
            draft.cut["labels"] += 1
            return
        safe = tuple(sorted((clean(k, self._max_name), clean(v)) for k, v in labels))
        series = Series(clean(name, self._max_name), safe, type_of(name, draft.types))
        if series in draft.values:
            draft.cut["duplicates"] += 1
        elif len(draft.values) >= self._max_series:
            draft.cut["series"] += 1
        else:
            draft.values[series] = value
            draft.samples.append(place[0])
            draft.starts.append(place[1])

    def _shared(self, series: tuple[Series, ...]) -> Layout:
        if len(self._layouts) >= _LAYOUTS_REMEMBERED:
            self._layouts.clear()
            self._skeletons.clear()
        return self._layouts.setdefault(series, Layout(series))

    def _skeleton(self, draft: _Draft, lines: list[bytes], layout: Layout) -> Skeleton:
        made = Skeleton(
            len(lines),
            tuple(draft.samples),
            tuple(draft.starts),
            [lines[i][:k] for i, k in zip(draft.samples, draft.starts, strict=True)],
            tuple(draft.others),
            [lines[i] for i in draft.others],
            layout,
        )
        shared = self._skeletons.setdefault((len(lines), layout.series), made)
        if shared != made:
            self._skeletons[len(lines), layout.series] = made
            return made
        return shared

    def _united(
        self, known: _Known, layout: Layout, values: array[float], cut: Cut, level: str
    ) -> Page:
        known.recent.append(layout)
        different = {id(one): one for one in known.recent}.values()
        if len(different) <= _LAYOUTS_AN_ENDPOINT:
            known.union = None
            return Page(layout, values, cut, level)
        if known.union is None:
            series = dict.fromkeys(s for one in different for s in one.series)
            known.union = self._shared(tuple(series)[: self._max_series])
        known.skeleton = None
        at = dict(zip(layout.series, values, strict=True))
        spread = array("d", (at.pop(s, math.nan) for s in known.union.series))
        more = Cut(cut.series + len(at), cut.labels, cut.duplicates, cut.malformed)
        return Page(known.union, spread, more, level)


_SHAPES = ((b"<", "an HTML or XML page"), (b"{", "JSON"), (b"[", "JSON"))


def _instead(lines: list[bytes], content_type: str) -> str:
    start = next((line.strip() for line in lines if line.strip()), b"")
    shape = next((words for mark, words in _SHAPES if start.startswith(mark)), "text")
    said = f" ({clean(content_type, 60)})" if content_type else ""
    return f"{shape}{said} came where a metrics page was expected"
