"""The grammar of sample lines and of `# TYPE` comments."""

import math
import re
from collections.abc import Iterable
from sys import intern

from msgspec import Struct

from watchdeck.domain.metrics.series import LabelPairs, SeriesType
from watchdeck.domain.values.text import clean

MAX_PREFIX = 32_768
"""Most bytes of a line before its value; a longer line, with labels over any limit, is left out."""

BLANK = rb"[ \t\r\f\v]"
NAME = rb"[a-zA-Z_:][a-zA-Z0-9_:]*+"
QUOTED = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
NUMBER = (
    rb"[+-]?(?:(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?"
    rb"|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?|[nN][aA][nN])"
)
BRACES = rb'\{[^"{}]*+(?:' + QUOTED + rb'[^"{}]*+)*+\}'

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
_TYPE_COMMENT = re.compile(
    rb"^" + _B + rb"#" + BLANK + rb"++TYPE" + BLANK + rb"++"
    rb"(" + NAME + rb"|" + QUOTED + rb")" + BLANK + rb"++([a-z]++)" + _B + rb"$",
    re.MULTILINE,
)

TYPES = {
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
"""Series types by the words of `# TYPE` comments, for all formats."""

_COUNTER, _GAUGE, _HISTOGRAM, _SUMMARY = (
    SeriesType.COUNTER, SeriesType.GAUGE, SeriesType.HISTOGRAM, SeriesType.SUMMARY,
)  # fmt: skip
_SUFFIXES = {
    "_bucket": {_HISTOGRAM: _HISTOGRAM, _GAUGE: _GAUGE},
    "_sum": {_HISTOGRAM: _HISTOGRAM, _SUMMARY: _SUMMARY},
    "_count": {_HISTOGRAM: _HISTOGRAM, _SUMMARY: _SUMMARY},
    "_gsum": {_GAUGE: _GAUGE},
    "_gcount": {_GAUGE: _GAUGE},
    "_total": {_COUNTER: _COUNTER},
    "_info": {_GAUGE: _GAUGE},
    "_created": {_COUNTER: _GAUGE, _HISTOGRAM: _GAUGE, _SUMMARY: _GAUGE},
}
"""By the suffix of a series' name: the type of the series for each type of its family."""


_FIRST_MILLISECONDS = 1e11
"""A timestamp from here on is in ms, below in seconds: 1973 in ms is the year 5138 in seconds."""


class ParseError(ValueError):
    """A line that does not follow the grammar; the message says why."""


class LineParts(Struct, frozen=True):
    """The parts of a line that matches the grammar; its labels are not yet parsed."""

    name: bytes
    """The metric name before the braces; empty when it is quoted inside them."""
    braces: bytes | None
    """The labels with their braces; None when the line has none."""
    value: float
    start: int
    """The position in the line at which the value begins."""
    plain: bool
    """Whether the line has neither a timestamp nor an exemplar."""
    time: float = math.nan
    """The timestamp in ms UTC; NaN when the line has none."""


def read_parts(line: bytes) -> LineParts:
    """Split a sample line of any exposition format into its parts. Raises ParseError."""
    match = _LINE.fullmatch(line)
    if match is None:
        raise ParseError("not a name, labels and a number")
    bare_name, name, braces, value, timestamp, exemplar = match.groups()
    start = match.start(4)
    if start > MAX_PREFIX:
        raise ParseError("the line is too long")
    plain = timestamp is None and exemplar is None
    time = math.nan if timestamp is None else _read_time(timestamp)
    return LineParts(bare_name or name or b"", braces, read_number(value), start, plain, time)


def _read_time(text: bytes) -> float:
    """A timestamp in ms UTC: the text format writes ms, OpenMetrics seconds."""
    number = read_number(text)
    return number if abs(number) >= _FIRST_MILLISECONDS else number * 1_000


def read_series(parts: LineParts) -> tuple[str, LabelPairs]:
    """The metric name and the labels of a line that was split. Raises ParseError."""
    name, labels = ("", ()) if parts.braces is None else read_labels(parts.braces[1:-1])
    if bool(parts.name) == bool(name):
        raise ParseError("a series has one name")
    return name or parts.name.decode(), labels


def read_number(text: bytes) -> float:
    """A number as the formats write it, blanks around it allowed. Raises ParseError.

    Python's `float` alone accepts `1_0`, and turns a literal that is too large into infinity.
    """
    if _NUMBER.fullmatch(text) is None:
        raise ParseError("not a number")
    value = float(text)
    if math.isinf(value) and b"n" not in text.lower():
        raise ParseError("the number is too large")
    return value


def read_numbers(texts: list[bytes], joined: bytes) -> list[float] | None:
    """Parse many numbers by the rules of `read_number`; None when one of them is not a number.

    `joined` is the concatenation of `texts`. Python's `float` accepts two things that the formats
    do not: `_`, and digits that overflow to infinity. Both are checked for all texts together,
    which is faster than a regular expression for each text.
    """
    try:
        values = list(map(float, texts))
    except ValueError:
        return None
    if b"_" in joined or (not math.isfinite(sum(values)) and _has_overflow(texts, values)):
        return None
    return values


def _has_overflow(texts: list[bytes], values: list[float]) -> bool:
    return any(
        math.isinf(value) and b"n" not in text.lower()
        for text, value in zip(texts, values, strict=True)
    )


def read_labels(text: bytes) -> tuple[str, LabelPairs]:
    """Parse the text between braces: metric name ("" if none) and labels. Raises ParseError."""
    terms = _LABELS.fullmatch(text)
    if terms is None:
        raise ParseError("a label cannot be read")
    names: list[str] = []
    labels: dict[str, str] = {}
    for bare, quoted, value in _LABEL.findall(terms[1]):
        key = bare.decode() if bare else read_name(quoted)
        if key == "__name__" or (quoted and not value):
            if names:
                raise ParseError("more than one name")
            names.append(read_name(value or quoted))
        elif not value or not key or key.startswith("__") or key in labels:
            raise ParseError("a label without a value, twice, or with a reserved name")
        else:
            labels[key] = read_name(value)
    if names == [""]:
        raise ParseError("an empty name")
    return "".join(names), tuple(labels.items())


def read_name(text: bytes) -> str:
    """Decode a name, or a quoted text without its quotes and escapes.

    Bytes that are not UTF-8 become U+FFFD.
    """
    if text.startswith(b'"'):
        text = text[1:-1]
        if b"\\" in text:
            text = _ESCAPE.sub(lambda escape: b"\n" if escape[1] == b"n" else escape[1], text)
    return text.decode(errors="replace")


def clean_label(text: str, limit: int = 1_024) -> str:
    """The text with control characters escaped, cut to `limit` characters, and interned."""
    if text.isascii() and text.isprintable() and len(text) <= limit:
        return intern(text)
    return intern(clean(text, limit))


class TypeComments(dict[str, SeriesType]):
    """The type of each series name of a page.

    It comes from the `# TYPE` comment of that name, else of its metric family, else it is UNTYPED.
    """

    def __init__(self, comments: Iterable[bytes]) -> None:
        self._declared = {
            clean_label(read_name(name)): TYPES[word.decode()]
            for name, word in _TYPE_COMMENT.findall(b"\n".join(comments))
            if word.decode() in TYPES
        }
        super().__init__(self._declared)

    def __missing__(self, name: str) -> SeriesType:
        kind = self[name] = self._type_by_suffix(name)
        return kind

    def _type_by_suffix(self, name: str) -> SeriesType:
        at = name.rfind("_")
        types = _SUFFIXES.get(name[at:]) if at > 0 else None
        family = self._declared.get(name[:at])
        if types is None or family is None:
            return SeriesType.UNTYPED
        return types.get(family, SeriesType.UNTYPED)
