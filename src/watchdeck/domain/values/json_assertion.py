"""Expectations: what an answer in JSON must say, in one small line that is never evaluated.

`$.outputs[0].data[0] in [0, 1]`, `$.status == "ok"`, `$.models[*].name exists`. A `[*]` looks at
every element: the expectation holds when it holds for one of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, islice

from msgspec import Struct

from watchdeck.domain.values.text import clean

_LONGEST = 500
_DEEPEST = 32
_MOST = 10_000
"""Values that one path may lead to; a hostile answer must not cost more."""

_PATH = re.compile(r"\s*(\$(?:\.[A-Za-z_][\w-]*|\[\d{1,9}\]|\[\*\]|\['[^'\]]*'\])*)", re.ASCII)
_PART = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d+)\]|\[(\*)\]|\['([^'\]]*)'\]", re.ASCII)

_LARGEST = 1e300
"""Numbers from here on, infinite ones included, are no measurements."""

Scalar = str | int | float | bool | None


class ExpectError(ValueError):
    """An expectation or a path that cannot be read; the text says what would be right."""


class _Every:
    """The `[*]` of a path."""


_EVERY = _Every()


class JsonPath(Struct, frozen=True):
    """A way into a document: names, positions and `[*]`."""

    text: str
    parts: tuple[str | int | _Every, ...]

    def values(self, document: object) -> list[object]:
        """All values at the end of the path; none when it leads nowhere."""
        found = [document]
        for part in self.parts:
            found = list(islice(chain.from_iterable(_step(one, part) for one in found), _MOST))
        return found

    def number(self, document: object) -> float | None:
        """The first finite number (or true or false) at the end; None when there is none."""
        numbers = (value for value in self.values(document) if isinstance(value, (int, float)))
        return next((float(value) for value in numbers if abs(value) < _LARGEST), None)

    def string(self, document: object) -> str | None:
        """The first text or number at the end, as clean text; None when there is none."""
        found = (str(value) for value in self.values(document) if _is_plain(value))
        return next((clean(text, 200) for text in found), None)


class JsonAssertion(Struct, frozen=True):
    """A path and what must stand at its end: one of `wanted`, or anything when that is None."""

    path: JsonPath
    wanted: tuple[Scalar, ...] | None
    negated: bool = False

    def matches(self, document: object) -> int:
        """How many values at the end of the path are as expected."""
        values = self.path.values(document)
        if self.wanted is None:
            return len(values)
        wanted = self.wanted
        return sum(any(_same(value, one) for one in wanted) is not self.negated for value in values)

    def holds(self, document: object) -> bool:
        """Whether at least one value is as expected."""
        return self.matches(document) > 0


@lru_cache(maxsize=1_024)
def read_path(text: str) -> JsonPath:
    """Read `$.a[0].b`, `$.list[*].name` or `$['a name']`. Raises ExpectError."""
    match = _PATH.fullmatch(text.rstrip())
    if match is None or len(text) > _LONGEST:
        raise ExpectError(f"{text[:80]!r} is not a path; write one like $.outputs[0].data[0]")
    parts = tuple(_part(found) for found in _PART.finditer(match[1]))
    if len(parts) > _DEEPEST:
        raise ExpectError(f"{text[:80]!r} is deeper than {_DEEPEST} steps")
    return JsonPath(match[1], parts)


@lru_cache(maxsize=1_024)
def read_expectation(text: str) -> JsonAssertion:
    """Read `PATH == VALUE`, `PATH != VALUE`, `PATH in [A, B]` or `PATH exists`.

    Raises ExpectError.
    """
    match = _PATH.match(text)
    if match is None or len(text) > _LONGEST:
        raise ExpectError(f"{text[:80]!r} does not begin with a path such as $.outputs[0]")
    path, rest = read_path(match[1]), text[match.end() :].strip()
    if rest == "exists":
        return JsonAssertion(path, None)
    for sign in ("==", "!=", "in "):
        if rest.startswith(sign):
            return JsonAssertion(path, _wanted(rest[len(sign) :], sign, text), sign == "!=")
    raise ExpectError(f"{text!r}: after the path comes == VALUE, != VALUE, in [A, B] or exists")


def read_document(body: bytes) -> object:
    """The JSON in a body. Raises ExpectError when it holds none, or too deep a one."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ExpectError("the answer is not JSON") from error


def failed_assertion(expectation: str, body: bytes) -> str:
    """Why a body is not as expected, in clean words; empty when it is. Raises ExpectError."""
    expected = read_expectation(expectation)
    try:
        document = read_document(body)
    except ExpectError as error:
        return str(error)
    if expected.holds(document):
        return ""
    found = expected.path.values(document)
    if not found:
        return f"{expected.path.text} is missing in the answer"
    shown = clean(json.dumps(found[0], ensure_ascii=False), 80)
    return f"{expected.path.text} is {shown}, expected {clean(_condition(expectation), 80)}"


def _condition(text: str) -> str:
    match = _PATH.match(text)
    rest = text[match.end() :].strip() if match else text
    return rest.removeprefix("==").strip()


def _wanted(text: str, sign: str, whole: str) -> tuple[Scalar, ...]:
    quoted = re.sub(r"'([^'\"\\]*)'", r'"\1"', text.strip())
    try:
        value = json.loads(quoted)
    except (ValueError, RecursionError) as error:
        message = f'{whole!r}: {text.strip()!r} is no value; write a number, true or "text"'
        raise ExpectError(message) from error
    values = value if sign == "in " and isinstance(value, list) else [value]
    if (sign == "in " and values is not value) or not all(_is_scalar(one) for one in values):
        raise ExpectError(f"{whole!r}: write == VALUE, or in [VALUE, VALUE]")
    return tuple(values)


def _part(match: re.Match[str]) -> str | int | _Every:
    name, position, every, quoted = match.groups()
    if every:
        return _EVERY
    if position is not None:
        return int(position)
    return name if name is not None else quoted


def _step(value: object, part: str | int | _Every) -> Iterator[object]:
    if isinstance(part, _Every):
        if isinstance(value, list):
            yield from value
        elif isinstance(value, dict):
            yield from value.values()
    elif isinstance(part, int):
        if isinstance(value, list) and part < len(value):
            yield value[part]
    elif isinstance(value, dict) and part in value:
        yield value[part]


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(value, (str, int, float, bool))


def _is_plain(value: object) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def _same(value: object, wanted: Scalar) -> bool:
    """Equality as JSON has it: true is not 1."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    return value == wanted
