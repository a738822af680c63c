"""Reads the pages of all endpoints, each at the cheapest level that is right for it."""

from __future__ import annotations

from array import array
from weakref import WeakValueDictionary

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.collector.exposition.label_cache import LabelCache
from watchdeck.collector.exposition.layouts import EndpointLayouts
from watchdeck.collector.exposition.line_cache import LineCache
from watchdeck.collector.exposition.line_parser import (
    ParsedLines,
    ParseLimits,
    deduplicate,
    parse_lines,
    split,
)
from watchdeck.collector.exposition.page_template import PageShape, PageTemplate, select_values
from watchdeck.domain.metrics.scrape import Truncation
from watchdeck.domain.metrics.series import Layout, Series
from watchdeck.domain.values.text import clean

_LINES = 40_000
"""Lines remembered over all endpoints, in 20 MB at most; no less than one page may have."""

_SKELETONS = 3
"""Skeletons kept for an endpoint: the replicas behind one address answer in turn."""


class NotMetrics(ValueError):
    """The body is no metrics page at all; the text says what came instead."""


class ParsedPage(Struct, frozen=True):
    """What was read: a shared layout, its values, what was left out, and at which level.

    `level` is "positional", "cached" or "grammar"; the others hold the same whichever it was.
    """

    layout: Layout
    values: array[float]
    cut: Truncation
    level: str


class _EndpointPages(Struct):
    """What is known of one endpoint's pages, the newest skeleton first."""

    layouts: EndpointLayouts
    skeletons: tuple[PageTemplate, ...] = ()
    plain: bool = True


class PageParser:
    """One for all endpoints of equal bounds: equal pages share one Layout, whoever sent them.

    First a page's lines are held against the skeleton of the last page; then each line is looked
    up among all lines seen; then the grammar reads it. Pages with timestamps or exemplars are new
    in every line, so they have no skeleton and leave nothing in memory.
    """

    def __init__(
        self,
        *,
        max_series: int = 5_000,
        max_labels: int = 30,
        max_label_name: int = 200,
        max_label_value: int = 1_024,
    ) -> None:
        self._bounds = ParseLimits(max_series, max_labels, max_label_name, max_label_value)
        self._known: dict[str, _EndpointPages] = {}
        pairs = LabelCache(self._bounds.name, self._bounds.value)
        self._lines = LineCache(max(_LINES, self._bounds.lines), pairs)
        self._layouts: WeakValueDictionary[bytes, Layout] = WeakValueDictionary()
        self._skeletons: WeakValueDictionary[PageShape, PageTemplate] = WeakValueDictionary()

    def read(self, key: str, body: bytes, content_type: str = "") -> ParsedPage:
        """Read a page of the endpoint `key`. An empty body is a page without series.

        A line that cannot be read is counted, and the others are kept. Raises NotMetrics when most
        lines cannot be read, or when an OpenMetrics page lacks the `# EOF` that proves it whole.
        """
        if "openmetrics" in content_type and not body.rstrip().endswith(b"# EOF"):
            raise NotMetrics("the OpenMetrics page does not end in # EOF: a part of it is missing")
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _EndpointPages(
                EndpointLayouts(self._shared, self._bounds.series)
            )
        known.layouts.reads += 1
        lines = split(body, self._bounds)
        for skeleton in known.skeletons:
            values = skeleton.values(lines, len(body))
            if values is not None:
                return ParsedPage(skeleton.layout, values, skeleton.cut, "positional")
        made = parse_lines(lines, self._lines, self._bounds, plain=known.plain)
        if made.malformed > len(made.series):
            raise NotMetrics(_instead(lines, content_type))
        return self._page(known, lines, made)

    def _page(self, known: _EndpointPages, lines: list[bytes], made: ParsedLines) -> ParsedPage:
        settled = deduplicate(made, self._bounds)
        values = select_values(made.values, settled.kept)
        frozen = shared = None
        if made.plain and not made.unread and not known.layouts.united:
            frozen = made.frozen(lines)
            shared = self._skeletons.get(frozen)
        fitted = known.layouts.fit(settled.series, values, shared.layout if shared else None)
        known.plain = made.plain
        if frozen is None or known.layouts.united:
            known.skeletons = ()
        else:
            skeleton = shared or PageTemplate(frozen, fitted.layout, settled.kept, settled.cut)
            self._skeletons[frozen] = skeleton
            others = (one for one in known.skeletons if one is not skeleton)
            known.skeletons = (skeleton, *others)[:_SKELETONS]
        return ParsedPage(
            fitted.layout, fitted.values, _more(settled.cut, fitted.missing), made.level
        )

    def _shared(self, series: tuple[Series, ...]) -> Layout:
        """The one layout of these series; one whose digest only looks the same is not shared."""
        layout = Layout(series)
        shared = self._layouts.setdefault(layout.digest, layout)
        return shared if shared.series == series else layout


def _more(cut: Truncation, series: int) -> Truncation:
    return replace(cut, series=cut.series + series) if series else cut


_SHAPES = ((b"<", "an HTML or XML page"), (b"{", "JSON"), (b"[", "JSON"))


def _instead(lines: list[bytes], content_type: str) -> str:
    start = next((line.strip() for line in lines if line.strip()), b"")
    shape = next((words for mark, words in _SHAPES if start.startswith(mark)), "text")
    said = f" ({clean(content_type, 60)})" if content_type else ""
    return f"{shape}{said} came where a metrics page was expected"
