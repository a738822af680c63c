"""A page read line by line: by memory where a line was seen before, by the grammar where not."""

from __future__ import annotations

from itertools import compress
from operator import attrgetter, is_

from msgspec import Struct, field
from msgspec.structs import replace

from watchdeck.collector.exposition.grammar import (
    LineParts,
    ParseError,
    clean_label,
    read_numbers,
    read_parts,
    read_series,
)
from watchdeck.collector.exposition.line_cache import LineCache
from watchdeck.collector.exposition.page_template import PageShape, invert_mask
from watchdeck.collector.exposition.type_comments import TypeComments
from watchdeck.domain.metrics.scrape import Truncation
from watchdeck.domain.metrics.series import LabelPairs, Series

_UNSURE = 2
_HEADS = bytes(0 if head in b"#" else _UNSURE if head in b" \t\r\f\v" else 1 for head in range(256))
"""By the first byte of a line: other, to be looked at closer, sample."""

_NAMES, _TYPES = attrgetter("name"), attrgetter("type")


class ParseLimits(Struct, frozen=True):
    """What a page may bring: series, labels of one, characters of a name and of a value."""

    series: int
    labels: int
    name: int
    value: int

    @property
    def lines(self) -> int:
        """Lines that are read at all: three for a series, and some for what else stands there."""
        return 4 * self.series + 1_000


class ParsedLines(Struct):
    """What the lines of a page said; a series over a bound is None, its value is there.

    `samples` marks the lines that hold a value. A page is `plain` when no line has a timestamp or
    an exemplar; `unread` lines came after the bound.
    """

    samples: bytearray
    prefixes: list[bytes] = field(default_factory=list)
    series: list[Series | None] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    malformed: int = 0
    unread: int = 0
    plain: bool = True
    level: str = "cached"

    def frozen(self, lines: list[bytes]) -> PageShape:
        """All of the page that is not a value."""
        others = compress(lines, invert_mask(self.samples))
        return PageShape(bytes(self.samples), tuple(self.prefixes), tuple(others))


class Deduplicated(Struct, frozen=True):
    """Which values of a draft are kept (None: all), their series, and what was left out."""

    kept: tuple[int, ...] | None
    series: tuple[Series, ...]
    cut: Truncation


def split(body: bytes, bounds: ParseLimits) -> list[bytes]:
    """The lines of a page; the last holds all that lies beyond the bound."""
    return body.split(b"\n", bounds.lines)


def parse_lines(
    lines: list[bytes], memory: LineCache, bounds: ParseLimits, *, plain: bool
) -> ParsedLines:
    """Read the lines of a page; `plain` when there is hope that every line was seen before."""
    unread = lines[-1].count(b"\n") + 1 if b"\n" in lines[-1] else 0
    lines = lines[:-1] if unread else lines
    samples = _samples(lines)
    types = TypeComments(compress(lines, invert_mask(samples)))
    made = _remembered(lines, samples, types, memory) if plain else None
    if made is None:
        made = _LineParser(ParsedLines(samples), types, memory, bounds).read(lines)
    made.unread = unread
    return made


def _samples(lines: list[bytes]) -> bytearray:
    """A mask of the lines that are no comments and have more than blanks."""
    heads = b"".join([line[:1] or b"#" for line in lines])
    samples = bytearray(heads.translate(_HEADS))
    at = samples.find(_UNSURE)
    while at >= 0:
        samples[at] = lines[at].lstrip()[:1] not in b"#"
        at = samples.find(_UNSURE, at)
    return samples


def _remembered(
    lines: list[bytes], samples: bytearray, types: TypeComments, memory: LineCache
) -> ParsedLines | None:
    """The draft of a page all of whose lines were seen before; None when one was not."""
    found = list(compress(lines, samples))
    prefixes = [line[: line.rfind(b" ") + 1] for line in found]
    series = memory.recall(prefixes)
    if series is None:
        return None
    declared = map(types.__getitem__, map(_NAMES, series))
    if not all(map(is_, declared, map(_TYPES, series))):
        return None
    texts = list(map(bytes.removeprefix, found, prefixes))
    values = read_numbers(texts, b"".join(texts))
    return None if values is None else ParsedLines(samples, prefixes, [*series], values)


class _LineParser:
    """The reading of one page, line after line."""

    def __init__(
        self, made: ParsedLines, types: TypeComments, memory: LineCache, bounds: ParseLimits
    ) -> None:
        self._made = made
        self._types = types
        self._memory = memory
        self._bounds = bounds

    def read(self, lines: list[bytes]) -> ParsedLines:
        made = self._made
        for number, line in enumerate(lines):
            if made.samples[number]:
                try:
                    self._line(line)
                except ParseError:
                    made.samples[number] = 0
                    made.malformed += 1
        return made

    def _line(self, line: bytes) -> None:
        prefix = line[: line.rfind(b" ") + 1]
        series = self._memory.get(prefix)
        text = line[len(prefix) :]
        value = None if series is None else read_numbers([text], text)
        if series is None or value is None:
            self._by_grammar(line)
        else:
            self._keep(prefix, self._typed(prefix, series), value[0])

    def _by_grammar(self, line: bytes) -> None:
        self._made.level = "grammar"
        parts = read_parts(line)
        prefix = line[: parts.start]
        series = self._memory.get(prefix)
        if series is not None:
            series = self._typed(prefix, series)
        elif (series := self._series(parts)) is not None:
            series = self._memory.put(prefix, series)
        if not parts.plain:
            self._made.plain = False
        self._keep(prefix, series, parts.value)

    def _keep(self, prefix: bytes, series: Series | None, value: float) -> None:
        self._made.prefixes.append(prefix)
        self._made.series.append(series)
        self._made.values.append(value)

    def _typed(self, prefix: bytes, series: Series) -> Series:
        kind = self._types[series.name]
        if kind is series.type:
            return series
        return self._memory.put(prefix, replace(series, type=kind))

    def _series(self, parts: LineParts) -> Series | None:
        """The series of a line, its labels by memory where they are plain; None over a bound."""
        pairs = self._memory.pairs.read(parts.braces) if parts.name and parts.braces else None
        if pairs is None or len(pairs) > self._bounds.labels or len(parts.name) > self._bounds.name:
            return self._bounded(*read_series(parts))
        name = clean_label(parts.name.decode(), self._bounds.name)
        return Series(name, pairs, self._types[name])

    def _bounded(self, name: str, labels: LabelPairs) -> Series | None:
        """A clean series; None when it passes a bound."""
        bounds = self._bounds
        if len(labels) > bounds.labels or len(name) > bounds.name:
            return None
        pairs = []
        for key, value in labels:
            if len(key) > bounds.name or len(value) > bounds.value:
                return None
            pairs.append((clean_label(key, bounds.name), clean_label(value, bounds.value)))
        pairs.sort()
        name = clean_label(name, bounds.name)
        return Series(name, tuple(pairs), self._types[name])


def deduplicate(made: ParsedLines, bounds: ParseLimits) -> Deduplicated:
    """Keep the first of equal series, no more series than the bound, and count the rest."""
    beyond = made.unread
    whole = tuple(one for one in made.series if one is not None)
    if len(whole) == len(made.series) == len(set(map(id, whole))) <= bounds.series:
        return Deduplicated(None, whole, Truncation(series=beyond, malformed=made.malformed))
    return _settle_one_by_one(made, bounds, beyond)


def _settle_one_by_one(made: ParsedLines, bounds: ParseLimits, beyond: int) -> Deduplicated:
    first: dict[int, int] = {}
    labels = duplicates = 0
    for position, series in enumerate(made.series):
        if series is None:
            labels += 1
        elif id(series) in first:
            duplicates += 1
        elif len(first) >= bounds.series:
            beyond += 1
        else:
            first[id(series)] = position
    kept = tuple(first.values())
    whole = tuple(one for one in map(made.series.__getitem__, kept) if one is not None)
    return Deduplicated(kept, whole, Truncation(beyond, labels, duplicates, made.malformed))
