"""The page parser: by the shape of an earlier page, else by cached lines, else by the grammar."""

from __future__ import annotations

import math
from array import array
from itertools import compress
from weakref import WeakValueDictionary

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from watchdeck.collector.exposition.grammar import read_numbers
from watchdeck.collector.exposition.layouts import EndpointLayouts
from watchdeck.collector.exposition.line_parser import (
    ParsedLines,
    ParseLimits,
    deduplicate,
    invert_mask,
    parse_lines,
    split_lines,
)
from watchdeck.collector.exposition.series_cache import LabelCache, LineCache
from watchdeck.domain.metrics.scrape import Truncation
from watchdeck.domain.metrics.series import Layout, Series
from watchdeck.domain.values.text import clean

_MIN_LINES = 40_000
"""Lines cached for all endpoints (at most 20 MB), or the lines that one page may have if more."""

_MAX_TEMPLATES = 3
"""Templates kept of an endpoint: replicas behind one address answer in turn."""


STALE_AGE = 300_000
"""The age (ms) by its own timestamp from which a sample tells nothing of the present: Prometheus
looks back as far."""


class NotMetrics(ValueError):
    """A body that is not a metrics page; the message says what came instead."""


class IncompletePage(ValueError):
    """A metrics page of which a part is missing; the message says how that shows."""


class ParsedPage(Struct, frozen=True):
    """A parsed page: its layout (the series in order), and their values in that order.

    Pages with equal series share one layout.
    """

    layout: Layout
    values: array[float]
    truncation: Truncation
    """Counts of series and lines that were left out."""
    level: str
    """How the page was parsed: `positional`, `cached` or `grammar`; the result is the same."""
    at: int | None = None
    """The time of its samples (ms UTC), where they have one timestamp in common."""
    stale_age: int = 0
    """The age (ms) of the oldest sample that was left out as too old; 0 when none was."""


class PageShape(Struct, frozen=True):
    """All bytes of a page except its values."""

    samples: bytes
    """A 1 for each line that holds a value, else a 0."""
    prefixes: tuple[bytes, ...]
    """The part of each of those lines before its value."""
    others: tuple[bytes, ...]
    """Comments, empty lines and malformed lines."""

    @property
    def size(self) -> int:
        """Bytes of the page without its values."""
        breaks = len(self.samples) - 1
        return sum(map(len, self.prefixes)) + sum(map(len, self.others)) + breaks


class PageTemplate(Struct, frozen=True, weakref=True):
    """A page's shape and layout, by which later pages of the same shape are read faster.

    Endpoints whose pages have the same shape share one template.
    """

    shape: PageShape
    layout: Layout
    positions: tuple[int, ...] | None
    """Positions of the values that the layout holds; None for all."""
    truncation: Truncation
    """Counts of what is left out of every page of this shape."""
    _gaps: bytes = b""
    _size: int = 0

    def __post_init__(self) -> None:
        force_setattr(self, "_gaps", invert_mask(self.shape.samples))
        force_setattr(self, "_size", self.shape.size)

    def values(self, lines: list[bytes], size: int) -> array[float] | None:
        """The values of a page of `size` bytes; None when the page has another shape.

        The expected prefix is removed from each line that has it. If the number of bytes left is as
        expected, all lines had it: this takes a fifth of the time of comparing each.
        """
        shape = self.shape
        if len(lines) != len(shape.samples) or tuple(compress(lines, self._gaps)) != shape.others:
            return None
        texts = list(map(bytes.removeprefix, compress(lines, shape.samples), shape.prefixes))
        joined = b"".join(texts)
        if len(joined) + self._size != size:
            return None
        values = read_numbers(texts, joined)
        return None if values is None else _select(values, self.positions)


class _EndpointPages(Struct):
    """The layouts and templates of one endpoint's pages, the newest template first."""

    layouts: EndpointLayouts
    templates: tuple[PageTemplate, ...] = ()
    plain: bool = True
    ends_with_newline: bool = False
    """Whether a page ended with a newline: one that does not is then cut."""


class PageParser:
    """Parses the pages of all endpoints with equal limits; pages with equal series share a Layout.

    A page is compared with the endpoint's templates first: the shapes of its latest pages. If none
    fits, each line is looked up in a cache, and the grammar parses the lines that are not there. A
    page with timestamps or exemplars makes no template, because all of its lines change with every
    scrape.
    """

    def __init__(
        self,
        *,
        max_series: int = 5_000,
        max_labels: int = 30,
        max_label_name: int = 200,
        max_label_value: int = 1_024,
    ) -> None:
        self._limits = ParseLimits(max_series, max_labels, max_label_name, max_label_value)
        self._endpoints: dict[str, _EndpointPages] = {}
        labels = LabelCache(self._limits.name, self._limits.value)
        self._cache = LineCache(max(_MIN_LINES, self._limits.lines), labels)
        self._layouts: WeakValueDictionary[bytes, Layout] = WeakValueDictionary()
        self._templates: WeakValueDictionary[PageShape, PageTemplate] = WeakValueDictionary()

    def read(
        self, key: str, body: bytes, content_type: str = "", *, at: int = 0, is_whole: bool = True
    ) -> ParsedPage:
        """Parse a page of the endpoint `key`. An empty body is a page without series.

        A malformed line is counted and left out, and so is a sample whose own timestamp is too old
        at `at` (ms UTC; 0 for no check). Raises NotMetrics when most lines are malformed, and
        IncompletePage when an OpenMetrics page lacks the `# EOF` that proves it complete, or the
        last line is cut: it lacks its newline, and its length was not told (`is_whole` is False) or
        earlier pages had one.
        """
        has_end = body.rstrip().endswith(b"# EOF")
        if "openmetrics" in content_type and not has_end:
            raise IncompletePage("the OpenMetrics page does not end in # EOF: a part is missing")
        pages = self._endpoints.get(key)
        if pages is None:
            layouts = EndpointLayouts(self._share_layout, self._limits.series)
            pages = self._endpoints[key] = _EndpointPages(layouts)
        has_newline = not body or body.endswith(b"\n") or has_end
        if not has_newline and (pages.ends_with_newline or not is_whole):
            raise IncompletePage("the page ends in the middle of a line: a part is missing")
        pages.ends_with_newline |= has_newline and bool(body)
        pages.layouts.pages += 1
        lines = split_lines(body, self._limits)
        for template in pages.templates:
            values = template.values(lines, len(body))
            if values is not None:
                return ParsedPage(template.layout, values, template.truncation, "positional")
        parsed = parse_lines(lines, self._cache, self._limits, plain=pages.plain)
        if parsed.malformed > len(parsed.series):
            raise NotMetrics(_describe_body(lines, content_type))
        ages = _check_times(parsed, at)
        return self._build_page(pages, lines, parsed, ages)

    def _build_page(
        self, pages: _EndpointPages, lines: list[bytes], parsed: ParsedLines, ages: _SampleTimes
    ) -> ParsedPage:
        distinct = deduplicate(parsed, self._limits)
        values = _select(parsed.values, distinct.positions)
        shape = template = None
        if parsed.plain and not parsed.unread and not pages.layouts.has_union:
            shape = _shape_of(lines, parsed)
            template = self._templates.get(shape)
        known = template.layout if template else None
        aligned = pages.layouts.align(distinct.series, values, known)
        pages.plain = parsed.plain
        if shape is None or pages.layouts.has_union:
            pages.templates = ()
        else:
            if template is None:
                template = PageTemplate(
                    shape, aligned.layout, distinct.positions, distinct.truncation
                )
            self._templates[shape] = template
            others = (one for one in pages.templates if one is not template)
            pages.templates = (template, *others)[:_MAX_TEMPLATES]
        truncation = distinct.truncation
        if aligned.missing:
            left_out = truncation.series + aligned.missing
            truncation = replace(truncation, series=left_out)
        if ages.stale:
            truncation = replace(truncation, stale=ages.stale)
        return ParsedPage(
            *(aligned.layout, aligned.values, truncation, parsed.level),
            *(ages.common, ages.stale_age),
        )

    def _share_layout(self, series: tuple[Series, ...]) -> Layout:
        """The one layout of these series; a new, unshared one if its digest is that of others."""
        layout = Layout(series)
        shared = self._layouts.setdefault(layout.digest, layout)
        return shared if shared.series == series else layout


class _SampleTimes(Struct, frozen=True):
    """What the timestamps of a page say: the one that its samples share, and how many are old."""

    common: int | None = None
    stale: int = 0
    stale_age: int = 0


_NO_TIMES = _SampleTimes()


def _check_times(parsed: ParsedLines, at: int) -> _SampleTimes:
    """Make the values of samples unknown whose timestamp is far from `at` (ms UTC).

    A page whose samples share one timestamp shows the state at that time.
    """
    given = {time for time in parsed.times if time == time}  # noqa: PLR0124 - only NaN is not itself
    if not at or not given:
        return _NO_TIMES
    old = [place for place, time in enumerate(parsed.times) if abs(at - time) > STALE_AGE]
    for place in old:
        parsed.values[place] = math.nan
    age = round(max((at - parsed.times[place] for place in old), default=0.0))
    (common, *others) = given
    shares = not others and not old and not any(map(math.isnan, parsed.times))
    return _SampleTimes(round(common) if shares else None, len(old), max(0, age))


def _shape_of(lines: list[bytes], parsed: ParsedLines) -> PageShape:
    others = compress(lines, invert_mask(parsed.samples))
    return PageShape(bytes(parsed.samples), tuple(parsed.prefixes), tuple(others))


def _select(values: list[float], positions: tuple[int, ...] | None) -> array[float]:
    """The values at these positions; all of them for None."""
    if positions is None:
        return array("d", values)
    return array("d", map(values.__getitem__, positions))


_FORMATS = ((b"<", "an HTML or XML page"), (b"{", "JSON"), (b"[", "JSON"))


def _describe_body(lines: list[bytes], content_type: str) -> str:
    start = next((line.strip() for line in lines if line.strip()), b"")
    body = next((words for mark, words in _FORMATS if start.startswith(mark)), "text")
    content = f" ({clean(content_type, 60)})" if content_type else ""
    return f"{body}{content} came where a metrics page was expected"
