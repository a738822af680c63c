"""From TOML to the domain types: each setting on its own, so that no problem hides another."""

from __future__ import annotations

import types
from collections.abc import Iterable
from contextlib import suppress
from enum import Enum
from functools import cache
from keyword import iskeyword
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import msgspec.structs

from watchdeck.config.reading.problems import Problem, below, did_you_mean, from_error, nearest
from watchdeck.domain.values.units import Bytes, Milliseconds, Ratio


class Unreadable(Enum):
    """What stands in for a value that could not be read; its problem is in the list."""

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


def read(raw: object, wanted: Any, key: str, problems: list[Problem], outer: Any = None) -> Any:
    """The value as `wanted`, a type of the domain; INVALID when it cannot be.

    Every problem is appended. A table with a bad optional setting is read as if that were not
    there; a list of tables keeps an INVALID in the place of a bad one. `outer` is the type of the
    table around, for hints.
    """
    for option in _options(wanted):
        origin = get_origin(option)
        if isinstance(raw, dict) and _is_table(option):
            return _table(raw, option, key, problems, outer)
        if isinstance(raw, dict) and origin is dict:
            return _entries(raw, get_args(option)[1], key, problems)
        if isinstance(raw, list) and origin is tuple:
            return _items(raw, get_args(option)[0], key, problems)
    return _value(raw, wanted, key, problems)


def _table(
    raw: dict[str, object], wanted: Any, key: str, problems: list[Problem], outer: Any
) -> Any:
    known = _settings(wanted)
    found: dict[str, Any] = {}
    meant = set()
    for name, value in raw.items():
        at = below(key, name)
        if name in known:
            found[name] = read(value, known[name], at, problems, wanted)
        else:
            meant.add(nearest(name, known))
            problems.append(Problem(at, "is not a setting", _where(name, wanted, key, outer)))
    problems += (
        Problem(key, f"has no {name!r}", _example(name))
        for name in known
        if name in _needed(wanted) and name not in raw and name not in meant
    )
    good = {name: value for name, value in found.items() if value is not INVALID}
    if not good.keys() >= _needed(wanted):
        return INVALID
    return wanted(**{_field(name): value for name, value in good.items()})


def _entries(raw: dict[str, object], wanted: Any, key: str, problems: list[Problem]) -> Any:
    before = len(problems)
    found = {name: read(value, wanted, below(key, name), problems) for name, value in raw.items()}
    return found if len(problems) == before else INVALID


def _items(raw: list[object], wanted: Any, key: str, problems: list[Problem]) -> Any:
    found = tuple(read(v, wanted, f"{key}[{n}]", problems) for n, v in enumerate(raw))
    return INVALID if INVALID in found and not _is_table(wanted) else found


def _value(raw: object, wanted: Any, key: str, problems: list[Problem]) -> Any:
    try:
        return msgspec.convert(raw, wanted, dec_hook=_unit)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, ValueError):
            problems.append(from_error(key, error.__cause__))
        else:
            text = f"must be {_expected(wanted)}, not {_given(raw)}"
            problems.append(Problem(key, text, _mended(raw, wanted)))
        return INVALID


def _is_table(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)


def _unit(wanted: type[Any], raw: object) -> Any:
    """A unit from its text; msgspec asks here for every type that it does not know."""
    if isinstance(raw, str):
        return wanted.parse(raw)
    if wanted is Ratio and isinstance(raw, float) and 0 <= raw <= 1:
        return Ratio(raw)
    raise TypeError


@cache
def _settings(wanted: Any) -> dict[str, Any]:
    """The settings of a table by their names in the file: the field `for_` is written `for`."""
    hints = get_type_hints(wanted)
    unwritten = getattr(wanted, "UNWRITTEN", ())
    names = (name for name in wanted.__struct_fields__ if name not in unwritten)
    return {name.rstrip("_"): hints[name] for name in names}


def _field(name: str) -> str:
    return f"{name}_" if iskeyword(name) else name


@cache
def _needed(wanted: Any) -> frozenset[str]:
    """The settings of a table that have no default."""
    return frozenset(
        field.name.rstrip("_") for field in msgspec.structs.fields(wanted) if field.required
    )


@cache
def _options(wanted: Any) -> tuple[Any, ...]:
    if get_origin(wanted) in (Union, types.UnionType):
        return tuple(option for option in get_args(wanted) if option is not type(None))
    return (wanted,)


def _where(name: str, wanted: Any, key: str, outer: Any) -> str:
    """What a setting that does not exist here should be: a table before or after is often meant."""
    known = _settings(wanted)
    for inner, hint in known.items():
        if any(name in _settings(table) for table in _tables(hint)):
            return f"It belongs in {inner!r}."
    if outer is not None and name in _settings(outer):
        above, _, here = key.rpartition(".")
        return f"It belongs to {above or 'the file'} itself, before {here!r}."
    return did_you_mean(name, known, f"Settings here: {', '.join(known)}.")


def _tables(wanted: Any) -> Iterable[Any]:
    """The tables that a setting may hold, one or a list of them."""
    for option in _options(wanted):
        inside = get_args(option)[0] if get_origin(option) is tuple else option
        if _is_table(inside):
            yield inside


def _example(name: str) -> str:
    return 'Write url = "http://HOST:PORT".' if name == "url" else f'Write {name} = "...".'


def _expected(wanted: Any) -> str:
    return " or ".join(_described(_options(wanted)))


def _described(options: Iterable[Any]) -> Iterable[str]:
    for option in options:
        origin = get_origin(option)
        if _is_table(option):
            yield _a_table(option)
        elif origin is tuple and _is_table(get_args(option)[0]):
            yield "a list of tables"
        elif origin is tuple:
            yield 'a list such as ["...", "..."]'
        elif origin is dict:
            yield "a table"
        else:
            yield _EXPECTED[option]


def _a_table(wanted: Any) -> str:
    return f"a table with {', '.join(_settings(wanted))}"


def _given(raw: object) -> str:
    """What was written, without a text: it may be a secret."""
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, float):
        return f"the number {raw!r}"
    if isinstance(raw, int):
        return f"the number {raw}" if abs(raw) < 10**18 else "a huge number"
    words: dict[object, str] = {str: "a text", list: "a list", dict: "a table"}
    return words.get(type(raw), "a date")


def _mended(raw: object, wanted: Any) -> str:
    """The same value, as it would be right."""
    options = _options(wanted)
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
            text = f"{_given(raw).removeprefix('the number ')}{_UNITS[option]}"
            with suppress(ValueError):
                option.parse(text)
                return f'Write "{text}".'
    return ""
