"""The strict reading of a page: every sample, or a refusal at the first line that is wrong.

A scrape is lenient (`PageParser`); this is what the reference parser of each format is held to.
"""

from __future__ import annotations

import re

from collector.exposition.openmetrics import parse_openmetrics
from collector.exposition.samples import Sample, read_sample
from watchdeck.collector.exposition.grammar import (
    BLANK,
    NAME,
    QUOTED,
    TYPES,
    ParseError,
)

_DECLARES = re.compile(rb"#" + BLANK + rb"++(?:TYPE|HELP)(?:" + BLANK + rb"|\Z)")
_DECLARATION = re.compile(
    rb"#" + BLANK + rb"++(?:HELP(?:" + BLANK + rb"++(?:" + NAME + rb"|" + QUOTED + rb")"
    rb"(?:" + BLANK + rb".*)?)?"
    rb"|TYPE" + BLANK + rb"++(?:" + NAME + rb"|" + QUOTED + rb")" + BLANK + rb"++(\S+))"
)  # fmt: skip


def parse(body: bytes, content_type: str = "") -> tuple[Sample, ...]:
    """Every sample of a page, in its order, duplicates too.

    OpenMetrics is read when the content type says so. Raises ParseError; a body that is not UTF-8
    raises it as well.
    """
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise ParseError("the page is not UTF-8") from error
    lines = body.removesuffix(b"\n").split(b"\n")
    if "openmetrics" in content_type:
        return tuple(parse_openmetrics(lines))
    samples = (_read(line.strip()) for line in lines)
    return tuple(sample for sample in samples if sample is not None)


def _read(line: bytes) -> Sample | None:
    if not line:
        return None
    if not line.startswith(b"#"):
        return read_sample(line)
    if _DECLARES.match(line):
        declaration = _DECLARATION.fullmatch(line)
        if declaration is None or not _known(declaration[1]):
            raise ParseError("a HELP or TYPE cannot be read")
    return None


def _known(kind: bytes | None) -> bool:
    return kind is None or kind.decode() in TYPES
