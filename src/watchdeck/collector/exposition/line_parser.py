"""Parses a page line by line: from the cache where a line is known, else by the grammar."""

import math
from itertools import compress
from operator import attrgetter, is_

from msgspec import Struct, field
from msgspec.structs import replace

from watchdeck.collector.exposition.grammar import (
    LineParts,
    ParseError,
    TypeComments,
    clean_label,
    read_numbers,
    read_parts,
    read_series,
)
from watchdeck.collector.exposition.series_cache import LineCache
from watchdeck.domain.metrics.scrape import Truncation
from watchdeck.domain.metrics.series import LabelPairs, Series
from watchdeck.redaction import redact

_BLANK_FIRST = 2
_FIRST_BYTES = bytes(
    0 if byte in b"#" else _BLANK_FIRST if byte in b" \t\r\f\v" else 1 for byte in range(256)
)
"""By the first byte of a line: 0 for no sample, 1 for a sample, 2 for a blank (undecided)."""

_INVERSE = bytes.maketrans(b"\0\1", b"\1\0")
_NAMES, _TYPES = attrgetter("name"), attrgetter("type")


class ParseLimits(Struct, frozen=True):
    """Limits of a page; what exceeds them is left out."""

    series: int
    """Most series of the page."""
    labels: int
    """Most labels of one series."""
    name: int
    """Most characters of a metric name or label name."""
    value: int
    """Most characters of a label value."""

    @property
    def lines(self) -> int:
        """Most lines that are parsed: four for each series, and 1,000 for comments."""
        return 4 * self.series + 1_000


class ParsedLines(Struct):
    """The samples of a page, duplicates included; each list has one entry per sample."""

    samples: bytearray
    """A 1 for each line of the page that holds a sample, else a 0."""
    prefixes: list[bytes] = field(default_factory=list)
    """The part of each line before its value."""
    series: list[Series | None] = field(default_factory=list)
    """None stands for a series over a limit."""
    values: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    """Timestamps of the samples (ms UTC), NaN for one without; empty when no line has one."""
    malformed: int = 0
    """Lines that do not follow the grammar."""
    unread: int = 0
    """Lines after the line limit."""
    plain: bool = True
    """Whether no line has a timestamp or exemplar."""
    level: str = "cached"
    """`grammar` when a line had to be parsed by the grammar, else `cached`."""


class DistinctSeries(Struct, frozen=True):
    """The series of a page without duplicates.

    `positions` are the places of their values in `ParsedLines.values`; None means all of them.
    """

    positions: tuple[int, ...] | None
    series: tuple[Series, ...]
    truncation: Truncation


def invert_mask(mask: bytes | bytearray) -> bytes:
    """A copy of a mask (one byte per line, 0 or 1) with 0 and 1 exchanged."""
    return bytes(mask).translate(_INVERSE)


def split_lines(body: bytes, limits: ParseLimits) -> list[bytes]:
    """The lines of a page up to the line limit; the last item is all the rest, not split."""
    return body.split(b"\n", limits.lines)


def parse_lines(
    lines: list[bytes], cache: LineCache, limits: ParseLimits, *, plain: bool
) -> ParsedLines:
    """Parse the lines of a page.

    With `plain`, all lines are first looked up in the cache in one step. If one is not there, or
    without `plain`, they are parsed one by one.
    """
    unread = lines[-1].count(b"\n") + 1 if b"\n" in lines[-1] else 0
    lines = lines[:-1] if unread else lines
    samples = _sample_mask(lines)
    types = TypeComments(compress(lines, invert_mask(samples)))
    parsed = _parse_cached(lines, samples, types, cache) if plain else None
    if parsed is None:
        parsed = _LineParser(ParsedLines(samples), types, cache, limits).parse(lines)
    parsed.unread = unread
    return parsed


def _sample_mask(lines: list[bytes]) -> bytearray:
    """A mask with a 1 for each line that is neither a comment nor blank."""
    first_bytes = b"".join([line[:1] or b"#" for line in lines])
    samples = bytearray(first_bytes.translate(_FIRST_BYTES))
    at = samples.find(_BLANK_FIRST)
    while at >= 0:
        samples[at] = lines[at].lstrip()[:1] not in b"#"
        at = samples.find(_BLANK_FIRST, at)
    return samples


def _parse_cached(
    lines: list[bytes], samples: bytearray, types: TypeComments, cache: LineCache
) -> ParsedLines | None:
    """The samples of a page when every line is in the cache with its type; None otherwise."""
    sample_lines = list(compress(lines, samples))
    prefixes = [line[: line.rfind(b" ") + 1] for line in sample_lines]
    series = cache.get_all(prefixes)
    if series is None:
        return None
    declared = map(types.__getitem__, map(_NAMES, series))
    if not all(map(is_, declared, map(_TYPES, series))):
        return None
    texts = list(map(bytes.removeprefix, sample_lines, prefixes))
    values = read_numbers(texts, b"".join(texts))
    return None if values is None else ParsedLines(samples, prefixes, [*series], values)


class _LineParser:
    """Parses one page, line after line, into `parsed`."""

    def __init__(
        self, parsed: ParsedLines, types: TypeComments, cache: LineCache, limits: ParseLimits
    ) -> None:
        self._parsed = parsed
        self._types = types
        self._cache = cache
        self._limits = limits

    def parse(self, lines: list[bytes]) -> ParsedLines:
        parsed = self._parsed
        for number, line in enumerate(lines):
            if parsed.samples[number]:
                try:
                    self._parse_line(line)
                except ParseError:
                    parsed.samples[number] = 0
                    parsed.malformed += 1
        return parsed

    def _parse_line(self, line: bytes) -> None:
        prefix = line[: line.rfind(b" ") + 1]
        series = self._cache.get(prefix)
        text = line[len(prefix) :]
        value = None if series is None else read_numbers([text], text)
        if series is None or value is None:
            self._parse_by_grammar(line)
        else:
            self._append(prefix, self._with_type(prefix, series), value[0])

    def _parse_by_grammar(self, line: bytes) -> None:
        self._parsed.level = "grammar"
        parts = read_parts(line)
        prefix = line[: parts.start]
        series = self._cache.get(prefix)
        if series is not None:
            series = self._with_type(prefix, series)
        elif (series := self._build_series(parts)) is not None:
            series = self._cache.put(prefix, series)
        if not parts.plain:
            self._parsed.plain = False
        self._append(prefix, series, parts.value, parts.time)

    def _append(
        self, prefix: bytes, series: Series | None, value: float, time: float = math.nan
    ) -> None:
        self._parsed.prefixes.append(prefix)
        self._parsed.series.append(series)
        self._parsed.values.append(value)
        self._parsed.times.append(time)

    def _with_type(self, prefix: bytes, series: Series) -> Series:
        kind = self._types[series.name]
        if kind is series.type:
            return series
        return self._cache.put(prefix, replace(series, type=kind))

    def _build_series(self, parts: LineParts) -> Series | None:
        """The series of a line, its labels from the cache if possible; None when over a limit."""
        limits = self._limits
        labels = self._cache.labels.read(parts.braces) if parts.name and parts.braces else None
        if labels is None or len(labels) > limits.labels or len(parts.name) > limits.name:
            return self._build_limited(*read_series(parts))
        name = clean_label(parts.name.decode(), limits.name)
        return Series(name, labels, self._types[name])

    def _build_limited(self, name: str, labels: LabelPairs) -> Series | None:
        """The series with cleaned names and values; None when it is over a limit."""
        limits = self._limits
        if len(labels) > limits.labels or len(name) > limits.name:
            return None
        pairs = []
        for key, value in labels:
            if len(key) > limits.name or len(value) > limits.value:
                return None
            shown = clean_label(redact(value), limits.value)
            pairs.append((clean_label(key, limits.name), shown))
        pairs.sort()
        name = clean_label(name, limits.name)
        return Series(name, tuple(pairs), self._types[name])


def deduplicate(parsed: ParsedLines, limits: ParseLimits) -> DistinctSeries:
    """The page's series without duplicates, up to the limit; `truncation` counts the others."""
    series = tuple(one for one in parsed.series if one is not None)
    if len(series) == len(parsed.series) == len(set(map(id, series))) <= limits.series:
        cut = Truncation(series=parsed.unread, malformed=parsed.malformed)
        return DistinctSeries(None, series, cut)
    return _deduplicate_one_by_one(parsed, limits)


def _deduplicate_one_by_one(parsed: ParsedLines, limits: ParseLimits) -> DistinctSeries:
    first: dict[int, int] = {}
    over_limit, labels, duplicates = parsed.unread, 0, 0
    for position, series in enumerate(parsed.series):
        if series is None:
            labels += 1
        elif id(series) in first:
            duplicates += 1
        elif len(first) >= limits.series:
            over_limit += 1
        else:
            first[id(series)] = position
    positions = tuple(first.values())
    distinct = tuple(one for one in map(parsed.series.__getitem__, positions) if one is not None)
    cut = Truncation(over_limit, labels, duplicates, parsed.malformed)
    return DistinctSeries(positions, distinct, cut)
