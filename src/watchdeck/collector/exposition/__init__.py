"""Parser of metrics pages (Prometheus text 0.0.4 and 1.0.0, OpenMetrics) to layout and values."""

from watchdeck.collector.exposition.grammar import ParseError
from watchdeck.collector.exposition.page_parser import (
    IncompletePage,
    NotMetrics,
    PageParser,
    ParsedPage,
)

__all__ = ["IncompletePage", "NotMetrics", "PageParser", "ParseError", "ParsedPage"]
