"""The grammar of one sample line."""

from __future__ import annotations

import math
import re
from sys import intern

from msgspec import Struct

from watchdeck.domain.metrics.series import LabelPairs
from watchdeck.domain.values.text import clean

MAX_PREFIX = 32_768
"""Bytes before the value. A line with more is left out: its labels alone pass every bound."""

BLANK = rb"[ \t\r\f\v]"
NAME = rb"[a-zA-Z_:][a-zA-Z0-9_:]*+"
QUOTED = rb'"[^"\\]*+(?:\\.[^"\\]*+)*"'
NUMBER = (
    rb"[+-]?(?:(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?"
    rb"|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?|[nN][aA][nN])"
)
BRACES = rb'\{[^"{}]*+(?:' + QUOTED + rb'[^"{}]*+)*\}'

_B = BLANK + rb"*+"
_APART = rb"[ \t]" + _B
_NUMBER = re.compile(_B + NUMBER + _B)
_LINE = re.compile(
    _B + rb"(?:(" + NAME + rb")" + _APART + rb"|(" + NAME + rb")?" + _B + rb"(" + BRACES + rb")"
    + _B + rb")(" + NUMBER + rb")(" + _APART + NUMBER + rb")?"
    rb"( ++# ++" + BRACES + rb" ++" + NUMBER + rb"(?: ++" + NUMBER + rb")?)?" + _B
)  # fmt: skip
_LABEL = re.compile(
    rb"(?:(" + NAME + rb")|(" + QUOTED + rb"))" + _B
    + rb"(?:=" + _B + rb"(" + QUOTED + rb")" + _B + rb")?(?:,|\Z)" + _B
)  # fmt: skip
_LABELS = re.compile(
    _B + rb",?" + _B + rb"((?:(?:" + NAME + rb"|" + QUOTED + rb")" + _B
    + rb"(?:=" + _B + QUOTED + _B + rb")?(?:,|\Z)" + _B + rb")*)"
)  # fmt: skip
_ESCAPE = re.compile(rb'\\([\\"n])')


class ParseError(ValueError):
    """What the grammar refuses; the text says why."""


class LineParts(Struct, frozen=True):
    """A line that has the right shape, its labels not yet read.

    `start` is where the value begins; a `plain` line has no timestamp or exemplar.
    """

    name: bytes
    braces: bytes | None
    value: float
    start: int
    plain: bool


class Sample(Struct, frozen=True):
    """A name, its labels in the page's order, and a value."""

    name: str
    labels: LabelPairs
    value: float


def read_parts(line: bytes) -> LineParts:
    """The shape of a line, in any of the formats. Raises Malformed."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise ParseError("not a name, labels and a number")
    bare, named, braces, value, timestamp, exemplar = found.groups()
    start = found.start(4)
    if start > MAX_PREFIX:
        raise ParseError("the line is too long")
    plain = timestamp is None and exemplar is None
    return LineParts(bare or named or b"", braces, read_number(value), start, plain)


def read_sample(line: bytes) -> Sample:
    """One line by the full grammar. Raises Malformed."""
    parts = read_parts(line)
    name, labels = read_series(parts)
    return Sample(name, labels, parts.value)


def read_series(parts: LineParts) -> tuple[str, LabelPairs]:
    """The name and the labels of a line. Raises Malformed."""
    name, labels = ("", ()) if parts.braces is None else read_labels(parts.braces[1:-1])
    if bool(parts.name) == bool(name):
        raise ParseError("a series has one name")
    return name or parts.name.decode(), labels


def read_number(text: bytes) -> float:
    """A number as the formats write it, blanks around it allowed. Raises Malformed.

    Python alone would take `1_0`, and would turn a literal that is too large into infinity.
    """
    if _NUMBER.fullmatch(text) is None:
        raise ParseError("not a number")
    value = float(text)
    if math.isinf(value) and b"n" not in text.lower():
        raise ParseError("the number is too large")
    return value


def read_numbers(texts: list[bytes], together: bytes) -> list[float] | None:
    """Many numbers by the same rules; None when one of them is not a number.

    `together` is all texts joined. A `_` and an infinity made of digits are all that `float` takes
    and the formats do not, so two looks at the whole stand for a match of each.
    """
    try:
        values = list(map(float, texts))
    except ValueError:
        return None
    if b"_" in together or (not math.isfinite(sum(values)) and not _all_sound(texts, values)):
        return None
    return values


def _all_sound(texts: list[bytes], values: list[float]) -> bool:
    return all(
        b"n" in text.lower() for text, value in zip(texts, values, strict=True) if math.isinf(value)
    )


def read_labels(text: bytes) -> tuple[str, LabelPairs]:
    """The metric name, if it stands there, and the labels between a pair of braces."""
    terms = _LABELS.fullmatch(text)
    if terms is None:
        raise ParseError("a label cannot be read")
    names: list[str] = []
    labels: dict[str, str] = {}
    for bare, quoted, value in _LABEL.findall(terms[1]):
        key = bare.decode() if bare else read_name(quoted)
        if key == "__name__" or (quoted and not value):
            names.append(read_name(value or quoted))
        elif not value or not key or key.startswith("__") or key in labels:
            raise ParseError("a label without a value, twice, or with a reserved name")
        else:
            labels[key] = read_name(value)
    if names and (len(names) > 1 or not names[0]):
        raise ParseError("more than one name, or an empty one")
    return "".join(names), tuple(labels.items())


def read_name(text: bytes) -> str:
    """A name, bare or quoted, or a quoted text; what is no UTF-8 becomes U+FFFD."""
    if text.startswith(b'"'):
        text = text[1:-1]
        if b"\\" in text:
            text = _ESCAPE.sub(lambda escape: b"\n" if escape[1] == b"n" else escape[1], text)
    return text.decode(errors="replace")


def clean_label(text: str, limit: int = 1_024) -> str:
    """The text, cleaned where it is not plain ASCII already; equal ones are one object."""
    if text.isascii() and text.isprintable() and len(text) <= limit:
        return intern(text)
    return intern(clean(text, limit))
