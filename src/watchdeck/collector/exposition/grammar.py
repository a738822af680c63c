"""The full grammar of one line, and what a page's comments declare."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from watchdeck.domain.series import SeriesType

MAX_LINE = 32_768
"""Characters. A longer line is left out: its labels alone would pass every bound."""

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_BRACES = re.compile(r'\{((?:[^"{}]|"(?:[^"\\]|\\.)*")*)\}')
_LABEL = re.compile(
    r'\s*(?:([a-zA-Z_][a-zA-Z0-9_.:]*)|"((?:[^"\\]|\\.)*)")'
    r'(?:\s*=\s*"((?:[^"\\]|\\.)*)")?\s*(?:,|$)'
)
_VALUE = re.compile(
    r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?)"
    r"|[nN][aA][nN]"
)
_TAIL = re.compile(r"(?:[ \t]+-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)?[ \t]*(?:#.*)?")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n"}

_TYPES = {
    "counter": SeriesType.COUNTER,
    "gauge": SeriesType.GAUGE,
    "histogram": SeriesType.HISTOGRAM,
    "summary": SeriesType.SUMMARY,
    "untyped": SeriesType.UNTYPED,
    "unknown": SeriesType.UNTYPED,
    "info": SeriesType.GAUGE,
    "stateset": SeriesType.GAUGE,
    "gaugehistogram": SeriesType.GAUGE,
}
_SUFFIXES = {
    "_bucket": (SeriesType.HISTOGRAM,),
    "_sum": (SeriesType.HISTOGRAM, SeriesType.SUMMARY),
    "_count": (SeriesType.HISTOGRAM, SeriesType.SUMMARY),
    "_total": (SeriesType.COUNTER,),
    "_info": (SeriesType.GAUGE,),
}
"""Row names that belong to a family of another name, and the types of such families."""


class NotMetrics(ValueError):
    """The body is no metrics page at all; the text says what came instead."""


class Malformed(ValueError):
    """A line that the grammar refuses."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One line: a name, its labels in the page's order, a value; `plain` without time or exemplar.

    `start` is where the value begins in the line.
    """

    name: str
    labels: tuple[tuple[str, str], ...]
    value: float
    start: int
    plain: bool


def read_value(text: str) -> float:
    """A number as the formats write it. Raises Malformed.

    Python alone would take `1_0`, and would turn an overflowing literal into infinity.
    """
    if _VALUE.fullmatch(text) is None:
        raise Malformed(f"{text[:40]!r} is not a number")
    value = float(text)
    if math.isinf(value) and "n" not in text.lower():
        raise Malformed(f"{text[:40]!r} is too large")
    return value


def read_line(line: str) -> Sample:
    """One sample line by the full grammar. Raises Malformed."""
    if len(line) > MAX_LINE:
        raise Malformed("the line is too long")
    at = len(line) - len(line.lstrip(" \t"))
    name, labels, at = _series(line, at)
    start = _blank(line, at)
    value = _VALUE.match(line, start)
    if start == at and labels == () and line[at - 1 : at] != "}":
        raise Malformed("no blank before the value")
    if value is None:
        raise Malformed("no value")
    if _TAIL.fullmatch(line, value.end()) is None:
        raise Malformed("something follows the value")
    return Sample(name, labels, read_value(value[0]), start, value.end() == len(line))


def _blank(line: str, at: int) -> int:
    while at < len(line) and line[at] in " \t":
        at += 1
    return at


def _series(line: str, at: int) -> tuple[str, tuple[tuple[str, str], ...], int]:
    found = _NAME.match(line, at)
    name, at = (found[0], found.end()) if found else ("", at)
    opening = _blank(line, at)
    if not line.startswith("{", opening):
        if not name:
            raise Malformed("no name")
        return name, (), at
    braces = _BRACES.match(line, opening)
    if braces is None:
        raise Malformed("the labels do not end")
    quoted, labels = _labels(braces[1])
    if bool(name) == bool(quoted):
        raise Malformed("a series has one name")
    return name or quoted, labels, braces.end()


def _labels(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The quoted metric name, if any, and the labels between the braces."""
    name, at = "", 0
    found: dict[str, str] = {}
    end = len(text.rstrip())
    while at < end:
        match = _LABEL.match(text, at)
        if match is None or (match[3] is None and (match[1] or name or found)):
            raise Malformed("a label cannot be read")
        key = match[1] if match[1] is not None else _unescaped(match[2])
        if match[3] is None:
            name = key
        elif key in found:
            raise Malformed("a label stands twice")
        else:
            found[key] = _unescaped(match[3])
        at = match.end()
    return name, tuple(found.items())


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda m: _ESCAPED.get(m[1], m[1] if m[1] in '\\"' else m[0]), text)


def read_type(line: str) -> tuple[str, SeriesType] | None:
    """What a `# TYPE` comment declares; None for any other comment, or an unknown type."""
    parts = line.split(None, 3)
    if len(parts) != 4 or parts[0] != "#" or parts[1] != "TYPE":
        return None
    kind = _TYPES.get(parts[3].strip())
    return None if kind is None else (parts[2].strip('"'), kind)


def type_of(name: str, types: dict[str, SeriesType]) -> SeriesType:
    """The declared type of a row's family; the declaration beats any suffix."""
    if name in types:
        return types[name]
    for suffix, kinds in _SUFFIXES.items():
        if name.endswith(suffix):
            declared = types.get(name.removesuffix(suffix))
            return declared if declared in kinds else SeriesType.UNTYPED
    return SeriesType.UNTYPED


def parse(text: str) -> Iterator[Sample]:
    """Every sample of a page, strictly. Raises Malformed at the first line that is not one."""
    for line in text.split("\n"):
        bare = line.rstrip("\r")
        if bare.strip() and not bare.lstrip().startswith("#"):
            yield read_line(bare)
