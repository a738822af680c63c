"""Frozen types as plain values, for JSON and for rows."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, to_builtins


def to_plain(value: Struct) -> dict[str, Any]:
    """The fields by name, nested types as dicts, units as their numbers, enums as their words."""
    plain: dict[str, Any] = to_builtins(value, enc_hook=_number)
    return plain


def _number(value: Any) -> int | float:
    """Durations, sizes and shares are subclasses of numbers, which msgspec does not know."""
    return float(value) if isinstance(value, float) else int(value)
