"""Parser of metrics pages (Prometheus text 0.0.4 and 1.0.0, OpenMetrics) to layout and values."""

from watchdeck.collector.exposition.grammar import ParseError
from watchdeck.collector.exposition.page_parser import NotMetrics, PageParser, ParsedPage

__all__ = ["NotMetrics", "PageParser", "ParseError", "ParsedPage"]
