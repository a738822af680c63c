"""Assertions on JSON responses, as one line of text that is never executed as code.

`$.outputs[0].data[0] in [0, 1]`, `$.status == "ok"`, `$.models[*].name exists`. With `[*]` an
assertion holds when it holds for at least one element. `[?@.state == "AVAILABLE"]` selects the
elements with that value.
"""

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
"""The most values that one path may select: the cost limit for a hostile response."""

_FILTER = r"\[\?@\.([A-Za-z_][\w-]*) == \"([^\"\\\]]*)\"\]"
_PATH = re.compile(
    rf"\s*(\$(?:\.[A-Za-z_][\w-]*|\[\d{{1,9}}\]|\[\*\]|\['[^'\]]*'\]|"
    rf"{_FILTER.replace('(', '(?:')})*)",
    re.ASCII,
)
_PART = re.compile(rf"\.([A-Za-z_][\w-]*)|\[(\d+)\]|\[(\*)\]|\['([^'\]]*)'\]|{_FILTER}", re.ASCII)

_LARGEST = 1e300
"""Numbers this large, and infinite ones, are not measurements."""

Scalar = str | int | float | bool | None


class JsonAssertionError(ValueError):
    """An assertion or path that cannot be parsed, or a body that is not JSON; the text says why."""


class _Wildcard:
    """The `[*]` of a path."""


_WILDCARD = _Wildcard()


class _ItemFilter(Struct, frozen=True):
    """The `[?@.NAME == "TEXT"]` of a path."""

    name: str
    text: str


_Part = str | int | _Wildcard | _ItemFilter


class JsonPath(Struct, frozen=True):
    """A path into a JSON document: names, positions, `[*]` and filters."""

    text: str
    parts: tuple[_Part, ...]

    def values(self, document: object) -> list[object]:
        """All values that the path selects; empty when there are none."""
        found = [document]
        for part in self.parts:
            found = list(islice(chain.from_iterable(_descend(one, part) for one in found), _MOST))
        return found

    def number(self, document: object) -> float | None:
        """The first finite number that the path selects (true is 1, false 0); None without one."""
        numbers = (value for value in self.values(document) if isinstance(value, (int, float)))
        return next((float(value) for value in numbers if abs(value) < _LARGEST), None)

    def string(self, document: object) -> str | None:
        """The first text or number that the path selects, as clean text; None without one."""
        found = (str(value) for value in self.values(document) if _is_text_or_number(value))
        return next((clean(text, 200) for text in found), None)


class JsonAssertion(Struct, frozen=True):
    """A path and its expected values; None accepts any value, `negated` any but these."""

    path: JsonPath
    expected: tuple[Scalar, ...] | None
    negated: bool = False

    def count_matches(self, document: object) -> int:
        """The number of values selected by the path that are as expected."""
        values = self.path.values(document)
        if self.expected is None:
            return len(values)
        expected = frozenset(map(_equality_key, self.expected))
        return sum((_equality_key(value) in expected) is not self.negated for value in values)

    def number(self, document: object) -> float:
        """The number of values that are as expected."""
        return float(self.count_matches(document))

    def holds(self, document: object) -> bool:
        """Whether at least one value selected by the path is as expected."""
        return self.count_matches(document) > 0


@lru_cache(maxsize=1_024)
def read_path(text: str) -> JsonPath:
    """Read `$.a[0].b`, `$.list[*].name` or `$['a name']`. Raises JsonAssertionError."""
    match = _PATH.fullmatch(text.rstrip()) if len(text) <= _LONGEST else None
    if match is None:
        raise JsonAssertionError(
            f"{text[:80]!r} is not a path; write one like $.outputs[0].data[0]"
        )
    parts = tuple(_read_part(found) for found in _PART.finditer(match[1]))
    if len(parts) > _DEEPEST:
        raise JsonAssertionError(f"{text[:80]!r} is deeper than {_DEEPEST} steps")
    return JsonPath(match[1], parts)


@lru_cache(maxsize=1_024)
def read_assertion(text: str) -> JsonAssertion:
    """Read `PATH == VALUE`, `PATH != VALUE`, `PATH in [A, B]` or `PATH exists`.

    Raises JsonAssertionError.
    """
    match = _PATH.match(text) if len(text) <= _LONGEST else None
    if match is None:
        raise JsonAssertionError(f"{text[:80]!r} does not begin with a path such as $.outputs[0]")
    path, rest = read_path(match[1]), text[match.end() :].strip()
    if rest == "exists":
        return JsonAssertion(path, None)
    for sign in ("==", "!=", "in "):
        if rest.startswith(sign):
            return JsonAssertion(path, _read_values(rest[len(sign) :], sign, text), sign == "!=")
    raise JsonAssertionError(
        f"{text!r}: after the path comes == VALUE, != VALUE, in [A, B] or exists"
    )


def read_number(text: str) -> JsonPath | JsonAssertion:
    """Read the path of a number, or an assertion whose matches are counted.

    Raises JsonAssertionError.
    """
    try:
        return read_path(text)
    except JsonAssertionError:
        return read_assertion(text)


def read_json(body: bytes) -> object:
    """Parse a body as JSON. Raises JsonAssertionError when it is not JSON, or too deep."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise JsonAssertionError("the answer is not JSON") from error


def assertion_failure(text: str, body: bytes) -> str:
    """Why a body fails an assertion, as clean text; empty when it passes.

    Raises JsonAssertionError when the assertion cannot be parsed.
    """
    assertion = read_assertion(text)
    try:
        document = read_json(body)
    except JsonAssertionError as error:
        return str(error)
    if assertion.holds(document):
        return ""
    found = assertion.path.values(document)
    if not found:
        return f"{assertion.path.text} is missing in the answer"
    shown = clean(json.dumps(found[0], ensure_ascii=False), 80)
    return f"{assertion.path.text} is {shown}, expected {clean(_condition_text(text), 80)}"


def _condition_text(text: str) -> str:
    match = _PATH.match(text)
    rest = text[match.end() :].strip() if match else text
    return rest.removeprefix("==").strip()


def _read_values(text: str, sign: str, whole: str) -> tuple[Scalar, ...]:
    quoted = re.sub(r"'([^'\"\\]*)'", r'"\1"', text.strip())
    try:
        value = json.loads(quoted)
    except (ValueError, RecursionError) as error:
        message = f'{whole!r}: {text.strip()!r} is no value; write a number, true or "text"'
        raise JsonAssertionError(message) from error
    values = value if sign == "in " and isinstance(value, list) else [value]
    if (sign == "in " and values is not value) or None in map(_equality_key, values):
        raise JsonAssertionError(f"{whole!r}: write == VALUE, or in [VALUE, VALUE]")
    return tuple(values)


def _read_part(match: re.Match[str]) -> _Part:
    name, position, every, quoted, filtered, expected = match.groups()
    if filtered:
        return _ItemFilter(filtered, expected)
    if every:
        return _WILDCARD
    if position is not None:
        return int(position)
    return name if name is not None else quoted


def _descend(value: object, part: _Part) -> Iterator[object]:
    if isinstance(part, _Wildcard):
        yield from _elements(value)
    elif isinstance(part, _ItemFilter):
        for element in _elements(value):
            if isinstance(element, dict) and element.get(part.name) == part.text:
                yield element
    elif isinstance(part, int):
        if isinstance(value, list) and part < len(value):
            yield value[part]
    elif isinstance(value, dict) and part in value:
        yield value[part]


def _elements(value: object) -> Iterator[object]:
    if isinstance(value, list):
        yield from value
    elif isinstance(value, dict):
        yield from value.values()


def _is_text_or_number(value: object) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def _equality_key(value: object) -> tuple[bool, Scalar] | None:
    """A key, equal for values that JSON takes for equal: true is not 1. None for other types."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return isinstance(value, bool), value
    return None
