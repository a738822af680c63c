"""Prometheus text 0.0.4 and 1.0.0, and OpenMetrics: bytes in, one shared layout and values out."""

from watchdeck.collector.exposition.grammar import NotMetrics, Sample, parse
from watchdeck.collector.exposition.reader import Page, PageReader

__all__ = ["NotMetrics", "Page", "PageReader", "Sample", "parse"]
