"""The types of settings and of JSON fields in words."""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from msgspec import Struct, UnsetType

from watchdeck.cli.options import Timestamp
from watchdeck.domain.notifications.outbox import SentTime
from watchdeck.domain.values.secret import Secret
from watchdeck.domain.values.units import Bytes, Milliseconds, Ratio, Unit

_WORDS: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Milliseconds: "duration",
    Ratio: "share",
    Bytes: "size",
    Secret: "secret",
    Timestamp: "time",
    SentTime: "time",
    NoneType: "null",
}

_PLURALS: Mapping[Any, str] = {str: "texts", int: "whole numbers"}


def options_of(of: Any) -> tuple[Any, ...]:
    """The members of a union type, without the one for an absent value; else the type alone."""
    members = get_args(of) if get_origin(of) in (Union, UnionType) else (of,)
    return tuple(member for member in members if member is not UnsetType)


def table_type(of: Any) -> type[Struct] | None:
    """The type of table that a setting or field holds, alone or in a list; None for a value."""
    inner = (one for option in options_of(of) for one in options_of(item_type(option) or option))
    tables = (one for one in inner if isinstance(one, type) and issubclass(one, Struct))
    return next((one for one in tables if one is not Secret), None)


def item_type(of: Any) -> Any:
    """The type of the items of a list; None for another type."""
    return get_args(of)[0] if get_origin(of) in (list, tuple, Sequence) else None


def entry_type(of: Any) -> Any:
    """The type of the values of a table with free names; None for another type."""
    return get_args(of)[1] if get_origin(of) in (dict, Mapping) else None


def type_words(of: Any) -> str:
    """A type in words, such as `text or null`. Raises KeyError for a type without words."""
    return " or ".join(map(_words, options_of(of)))


def _words(option: Any) -> str:
    if (entry := entry_type(option)) is not None:
        return f"table of {_plural(entry)} by name"
    if (item := item_type(option)) is not None:
        return f"list of {_plural(item)}"
    if isinstance(option, type) and issubclass(option, Enum):
        return "text"
    return "table" if table_type(option) else _WORDS[option]


def _plural(of: Any) -> str:
    """Several values of a type in words."""
    return " or ".join(_plural_of(option) for option in options_of(of))


def _plural_of(option: Any) -> str:
    if (item := item_type(option)) is not None:
        return f"lists of {_plural(item)}"
    if isinstance(option, type) and issubclass(option, Enum):
        return "texts"
    return "tables" if table_type(option) else _PLURALS.get(option, f"{_words(option)}s")


def choices_of(of: Any) -> tuple[str, ...]:
    """The values of the enum that a type is, or that its items are; empty for other types."""
    for option in options_of(of):
        inside = item_type(option) or option
        if isinstance(inside, type) and issubclass(inside, Enum):
            return tuple(str(member.value) for member in inside)
    return ()


def number_text(unit: Unit, means: str, name: str, aliases: Mapping[str, str]) -> str:
    """The unit, the meaning and the short names of a signal or another number."""
    short = [alias for alias, full in aliases.items() if full == name]
    also = f" Short: {listed(short)}." if short else ""
    return f"{unit}. {means[:1].upper()}{means[1:].rstrip('.')}.{also}"


def listed(words: Iterable[str]) -> str:
    """Words with commas between."""
    return ", ".join(words)
