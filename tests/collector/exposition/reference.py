"""What prometheus_client makes of a page, in a form that can be held against ours."""

import re
from collections.abc import Iterable

from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample as Theirs

from collector.exposition.samples import Sample
from collector.exposition.strict_parser import parse
from watchdeck.collector.exposition import ParseError

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

Row = tuple[str, tuple[tuple[str, str], ...], str]
_COUNTER = re.compile(r"^\s*#\s+TYPE\s+\"?([^\s\"]+)\"?\s+counter\s*$", re.MULTILINE)


def reference(page: str, *, openmetrics: bool = False) -> list[Row] | None:
    """The samples in the page's order; None when the page is refused.

    It turns `x` of a counter into `x_total` where the page does not; that is taken back. It
    reads -0 as the whole number 0, so zeros have no sign here.
    """
    read = openmetrics_families if openmetrics else text_string_to_metric_families
    try:
        theirs = [sample for family in read(page) for sample in family.samples]
    except (ValueError, KeyError, IndexError):  # the last two are slips for the first
        return None
    names = names_on(page)
    renamed = {f"{name}_total": name for name in _COUNTER.findall(page)} if not openmetrics else {}
    return [_row(sample, renamed, names) for sample in theirs]


def _row(sample: Theirs, renamed: dict[str, str], names: set[str]) -> Row:
    name = sample.name if sample.name in names else renamed.get(sample.name, sample.name)
    return name, tuple(sorted(sample.labels.items())), repr(float(sample.value) + 0.0)


def names_on(page: str) -> set[str]:
    """The names that lines of the page begin with."""
    return set(re.findall(r"^\s*([^\s{#]+)", page, re.MULTILINE))


def ours(page: str, *, openmetrics: bool = False) -> list[Row] | None:
    """The same of the strict reading."""
    try:
        return rows(parse(page.encode(), OPENMETRICS if openmetrics else ""))
    except ParseError:
        return None


def rows(samples: Iterable[Sample]) -> list[Row]:
    return [(one.name, tuple(sorted(one.labels)), repr(one.value + 0.0)) for one in samples]
