"""Reading pages in tests, and what is compared of them."""

import struct
from collections.abc import Iterable
from pathlib import Path

from watchdeck.collector.exposition import NotMetrics, PageParser, ParsedPage
from watchdeck.domain.metrics.scrape import Truncation
from watchdeck.domain.metrics.series import Series

PAGES = Path(__file__).parents[2] / "pages"
CAPTURED = sorted(
    path
    for path in (*PAGES.rglob("*metrics*.body"), *PAGES.rglob("*.prom"))
    if b"# " in path.read_bytes()
)
OPENMETRICS_PAGES = sorted((Path(__file__).parent / "pages").glob("openmetrics-*.txt"))

Read = tuple[tuple[Series, ...], bytes, Truncation] | str


def read(*bodies: bytes, **bounds: int) -> list[ParsedPage]:
    """The pages of one endpoint, one scrape after the other."""
    reader = PageParser(**bounds)
    return [reader.read("model", body) for body in bodies]


def held(page: ParsedPage) -> dict[str, float]:
    """The values of a page by the text of their series."""
    return dict(zip(map(str, page.layout.series), page.values, strict=True))


def outcome(reader: PageParser, key: str, body: bytes) -> Read:
    """All that a caller sees but the level; the words of a refusal. NaN equals NaN."""
    try:
        page = reader.read(key, body)
    except NotMetrics as error:
        return str(error)
    return page.layout.series, struct.pack(f"{len(page.values)}d", *page.values), page.truncation


def levels(pages: Iterable[ParsedPage]) -> list[str]:
    return [page.level for page in pages]
