"""Reads TOML tables into types, each setting alone, so that no problem hides another."""

import types
from collections.abc import Iterable
from contextlib import suppress
from enum import Enum
from functools import cache
from keyword import iskeyword
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import msgspec.structs

from watchdeck.config.reading.problems import (
    MAX_LISTED,
    Problem,
    child_key,
    did_you_mean,
    from_error,
    nearest,
)
from watchdeck.domain.values.units import Bytes, Milliseconds, Ratio


class Unreadable(Enum):
    """The type of INVALID, which stands in place of a value that could not be read.

    The problem of such a value is listed already.
    """

    INVALID = "invalid"


INVALID = Unreadable.INVALID

_EXPECTED: dict[Any, str] = {
    str: "a text in quotes",
    int: "a whole number",
    bool: "true or false",
    Milliseconds: 'a duration such as "10s"',
    Ratio: 'a share such as "99.9%"',
    Bytes: 'a size such as "1MiB"',
}
_UNITS: dict[Any, str] = {Milliseconds: "s", Ratio: "%", Bytes: "B"}


def read(raw: object, target: Any, key: str, problems: list[Problem], outer: Any = None) -> Any:
    """Convert the TOML value at `key` to the type `target`; INVALID when that is not possible.

    Every problem is appended to `problems`. A bad optional setting counts as not written; in a list
    of tables, INVALID takes the place of a bad table. `outer` is the type of the enclosing table,
    for hints.
    """
    for option in _options(target):
        origin = get_origin(option)
        if isinstance(raw, dict) and _is_table(option):
            return _table(raw, option, key, problems, outer)
        if isinstance(raw, dict) and origin is dict:
            return _entries(raw, get_args(option)[1], key, problems)
        if isinstance(raw, list) and origin is tuple:
            return _items(raw, get_args(option)[0], key, problems)
    return _value(raw, target, key, problems)


def _table(
    raw: dict[str, object], target: Any, key: str, problems: list[Problem], outer: Any
) -> Any:
    known = settings_of(target)
    found: dict[str, Any] = {}
    guessed = set()
    for name, value in raw.items():
        at = child_key(key, name)
        if name in known:
            found[name] = read(value, known[name], at, problems, target)
        else:
            is_listed = len(problems) < MAX_LISTED
            hint = _unknown_hint(name, target, key, outer) if is_listed else ""
            guessed.add(nearest(name, known) if is_listed else None)
            problems.append(Problem(at, "is not a setting", hint))
    problems += (
        Problem(key, f"has no {name!r}", _example(name))
        for name in known
        if name in _required(target) and name not in raw and name not in guessed
    )
    good = {name: value for name, value in found.items() if value is not INVALID}
    if not good.keys() >= _required(target):
        return INVALID
    return target(**{_field(name): value for name, value in good.items()})


def _entries(raw: dict[str, object], target: Any, key: str, problems: list[Problem]) -> Any:
    before = len(problems)
    found = {
        name: read(value, target, child_key(key, name), problems) for name, value in raw.items()
    }
    return found if len(problems) == before else INVALID


def _items(raw: list[object], target: Any, key: str, problems: list[Problem]) -> Any:
    found = tuple(read(v, target, f"{key}[{n}]", problems) for n, v in enumerate(raw))
    return INVALID if INVALID in found and not _is_table(target) else found


def _value(raw: object, target: Any, key: str, problems: list[Problem]) -> Any:
    try:
        return msgspec.convert(raw, target, dec_hook=_parse_unit)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, ValueError):
            problems.append(from_error(key, error.__cause__))
        else:
            text = f"must be {_expected_types(target)}, not {_describe_value(raw)}"
            problems.append(Problem(key, text, _correction(raw, target)))
        return INVALID


def _is_table(target: Any) -> bool:
    return isinstance(target, type) and issubclass(target, msgspec.Struct)


def _parse_unit(target: type[Any], raw: object) -> Any:
    """Parse a value with a unit, such as `10s`; msgspec calls this for every type unknown to it."""
    if isinstance(raw, str):
        return target.parse(raw)
    if target is Ratio and isinstance(raw, float) and 0 <= raw <= 1:
        return Ratio(raw)
    raise TypeError


@cache
def settings_of(target: Any) -> dict[str, Any]:
    """The types of a table's settings, by their names in the file: `for` is the field `for_`."""
    hints = get_type_hints(target)
    unwritten = getattr(target, "UNWRITTEN", ())
    names = (name for name in target.__struct_fields__ if name not in unwritten)
    return {name.rstrip("_"): hints[name] for name in names}


def _field(name: str) -> str:
    return f"{name}_" if iskeyword(name) else name


@cache
def _required(target: Any) -> frozenset[str]:
    """The settings of a table that have no default."""
    return frozenset(
        field.name.rstrip("_") for field in msgspec.structs.fields(target) if field.required
    )


@cache
def _options(target: Any) -> tuple[Any, ...]:
    if get_origin(target) in (Union, types.UnionType):
        return tuple(option for option in get_args(target) if option is not type(None))
    return (target,)


def _unknown_hint(name: str, target: Any, key: str, outer: Any) -> str:
    """A hint for an unknown setting: another table that has it, or the nearest name here."""
    known = settings_of(target)
    for inner, hint in known.items():
        if any(name in settings_of(table) for table in _tables(hint)):
            return f"It belongs in {inner!r}."
    if outer is not None and name in settings_of(outer):
        above, _, here = key.rpartition(".")
        return f"It belongs to {above or 'the file'} itself, before {here!r}."
    return did_you_mean(name, known, f"Settings here: {', '.join(known)}.")


def _tables(target: Any) -> Iterable[Any]:
    """The types of table that a setting may hold, alone or in a list."""
    for option in _options(target):
        inside = get_args(option)[0] if get_origin(option) is tuple else option
        if _is_table(inside):
            yield inside


def _example(name: str) -> str:
    return 'Write url = "http://HOST:PORT".' if name == "url" else f'Write {name} = "...".'


def _expected_types(target: Any) -> str:
    return " or ".join(_describe_types(_options(target)))


def _describe_types(options: Iterable[Any]) -> Iterable[str]:
    for option in options:
        origin = get_origin(option)
        if _is_table(option):
            yield _describe_table(option)
        elif origin is tuple and _is_table(get_args(option)[0]):
            yield "a list of tables"
        elif origin is tuple:
            yield 'a list such as ["...", "..."]'
        elif origin is dict:
            yield "a table"
        else:
            yield _EXPECTED[option]


def _describe_table(target: Any) -> str:
    return f"a table with {', '.join(settings_of(target))}"


def _describe_value(raw: object) -> str:
    """A description of the value; a text is not repeated, because it may be a secret."""
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, float):
        return f"the number {raw!r}"
    if isinstance(raw, int):
        return f"the number {raw}" if abs(raw) < 10**18 else "a huge number"
    words: dict[object, str] = {str: "a text", list: "a list", dict: "a table"}
    return words.get(type(raw), "a date")


def _correction(raw: object, target: Any) -> str:
    """A hint how to write the value correctly; empty when there is none."""
    options = _options(target)
    lists = [option for option in options if get_origin(option) is tuple]
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return _with_unit(raw, options)
    if isinstance(raw, dict) and str in options:
        return 'A name with a dot in it stands in quotes: "a.b" = "...".'
    if isinstance(raw, str) and lists:
        return "Put it in brackets: [...]."
    if isinstance(raw, str) and {int, bool} & set(options):
        return "Leave the quotes out."
    if isinstance(raw, dict) and any(_is_table(get_args(option)[0]) for option in lists):
        return "Its line has two brackets on either side, as in [[endpoint]]."
    return ""


def _with_unit(raw: float, options: Iterable[Any]) -> str:
    for option in options:
        if option is str:
            return "Put it in quotes."
        if option is Ratio and raw == 1:
            return 'Write "100%" or "1%".'
        if option in _UNITS:
            text = f"{_describe_value(raw).removeprefix('the number ')}{_UNITS[option]}"
            with suppress(ValueError):
                option.parse(text)
                return f'Write "{text}".'
    return ""
