"""OpenMetrics, strictly: the shape of its lines and the order they must stand in.

What the numbers of a family mean (buckets that grow, counts that are whole) is not judged.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from collector.exposition.samples import Sample, read_sample
from watchdeck.collector.exposition.grammar import (
    BRACES,
    NAME,
    NUMBER,
    QUOTED,
    TYPES,
    ParseError,
    read_labels,
    read_name,
    read_number,
)

_SHAPE = re.compile(
    rb"(?:" + NAME + rb"|(?:" + NAME + rb")?(" + BRACES + rb"))"
    rb" " + NUMBER + rb"(?: (" + NUMBER + rb"))?"
    rb"(?: # (" + BRACES + rb") " + NUMBER + rb"(?: (" + NUMBER + rb"))?)?"
)
_METADATA = re.compile(rb"# ++(HELP|TYPE|UNIT) ++(" + NAME + rb"|" + QUOTED + rb") ++(.*)")
_EMPTY_HELP = re.compile(rb"# ++(HELP) ++(" + NAME + rb"|" + QUOTED + rb") ()")
_LEGACY = re.compile(NAME)

_ROWS = {
    "counter": ("_total", "_created"),
    "summary": ("", "_count", "_sum", "_created"),
    "histogram": ("_count", "_sum", "_bucket", "_created"),
    "gaugehistogram": ("_gcount", "_gsum", "_bucket"),
    "info": ("_info",),
}
"""The suffixes of a family's rows by its type; all other families have rows of their own name."""


class _Families:
    """The families of a page so far, and the one that is open."""

    def __init__(self) -> None:
        self._name = ""
        self._said: dict[bytes, str] = {}
        self._sampled = False
        self._taken: set[str] = set()

    def metadata(self, line: bytes) -> None:
        found = _METADATA.fullmatch(line) or _EMPTY_HELP.fullmatch(line)
        if found is None:
            raise ParseError("neither metadata nor the end")
        word, name, text = found[1], read_name(found[2]), found[3].decode()
        if name != self._name:
            self.close()
            self._name = name
        elif self._sampled or word in self._said:
            raise ParseError("metadata twice, or after its samples")
        if word == b"TYPE" and (text == "untyped" or text not in TYPES):
            raise ParseError("no such type")
        self._said[word] = text

    def sample(self, name: str) -> None:
        if name not in self._rows():
            self.close()
            if _LEGACY.fullmatch(name.encode()) is None:
                raise ParseError("a quoted name without metadata")
            self._name = name
        self._sampled = True

    def close(self) -> None:
        """End the open family: its names must be its own."""
        if not self._name:
            return
        names = {self._name, *self._names(_ROWS.get(self._type, ()))}
        if names & self._taken:
            raise ParseError("a family comes twice, or two families share a name")
        unit = self._said.get(b"UNIT")
        if unit and (self._type in {"info", "stateset"} or not self._name.endswith(f"_{unit}")):
            raise ParseError("the name does not end in its unit")
        self._taken |= names
        self._name, self._said, self._sampled = "", {}, False

    @property
    def _type(self) -> str:
        return self._said.get(b"TYPE", "unknown")

    def _rows(self) -> set[str]:
        return self._names(_ROWS.get(self._type, ("",))) if self._name else set()

    def _names(self, suffixes: tuple[str, ...]) -> set[str]:
        return {self._name + suffix for suffix in suffixes}


def parse_openmetrics(lines: list[bytes]) -> Iterator[Sample]:
    """Every sample of the lines of a page. Raises ParseError."""
    if not lines or lines[-1] != b"# EOF":
        raise ParseError("the page does not end in # EOF")
    families = _Families()
    for line in lines[:-1]:
        if line.startswith(b"#"):
            families.metadata(line)
        else:
            sample = _sample(line)
            families.sample(sample.name)
            yield sample
    families.close()


def _sample(line: bytes) -> Sample:
    found = _SHAPE.fullmatch(line)
    if found is None:
        raise ParseError("not a name, labels and a number, one blank between them")
    braces, time, exemplar, exemplar_time = found.groups()
    for labels in (braces, exemplar):
        if labels is not None:
            _check_commas(labels[1:-1].strip())
    if exemplar is not None and read_labels(exemplar[1:-1])[0]:
        raise ParseError("an exemplar has no name")
    for moment in (time, exemplar_time):
        if moment is not None and not math.isfinite(read_number(moment)):
            raise ParseError("no moment in time")
    return read_sample(line)


def _check_commas(labels: bytes) -> None:
    if labels.startswith(b",") or labels.endswith(b","):
        raise ParseError("a comma too many")
