"""Prometheus text 0.0.4 and 1.0.0, and OpenMetrics: bytes in, one shared layout and values out."""

from watchdeck.collector.exposition.grammar import Malformed, Sample
from watchdeck.collector.exposition.reader import NotMetrics, Page, PageReader
from watchdeck.collector.exposition.strict import parse

__all__ = ["Malformed", "NotMetrics", "Page", "PageReader", "Sample", "parse"]
