"""Names of keys: in the configuration, in Textual, and as printed on a keyboard."""

from __future__ import annotations

import re
import string
import unicodedata

from watchdeck.domain.values.text import clean

_OTHERWISE = {
    "solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at",
    "hyphen_minus": "minus", "plus_sign": "plus", "low_line": "underscore",
}  # fmt: skip
"""Textual's names of signs that differ from their Unicode names, by the Unicode name."""


def _word(sign: str) -> str:
    name = unicodedata.name(sign).lower().replace("-", "_").replace(" ", "_")
    return _OTHERWISE.get(name, name)


_SIGNS = {sign: _word(sign) for sign in string.punctuation}
_PRINTED = {
    "escape": "Esc", "enter": "Enter", "tab": "Tab", "space": "Space", "backspace": "Backspace",
    "delete": "Del", "insert": "Ins", "home": "Home", "end": "End", "pageup": "PgUp",
    "pagedown": "PgDn", "up": "↑", "down": "↓", "left": "←", "right": "→",
    **{f"f{number}": f"F{number}" for number in range(1, 25)},
}  # fmt: skip
_MODIFIERS = {"ctrl": "Ctrl", "alt": "Alt", "shift": "Shift"}

_MEANT = {shown.lower(): name for name, shown in _PRINTED.items()} | {" ": "space"}
_SHOWN = {name: sign for sign, name in _SIGNS.items()} | _PRINTED
_SAME = {
    "ctrl+i": "tab",
    "ctrl+m": "enter",
    "ctrl+h": "backspace",
    "ctrl+left_square_bracket": "escape",
}
"""Keys that a terminal sends as another key."""

_MODIFIED = re.compile(r"((?:ctrl|alt)\+)?(shift\+)?(.+)", re.IGNORECASE)


def textual_key_name(written: str) -> str:
    """The name by which Textual knows a key: `slash` for `/`, `pagedown` for `PgDn`.

    Raises ValueError with a text `REASON; ADVICE` when a terminal sends no such key.
    """
    match = _MODIFIED.fullmatch(written)
    if match is None:
        raise ValueError("names no key; Write a key such as x, F5 or ctrl+x.")
    chord, shift = (match[1] or "").lower(), (match[2] or "").lower()
    name = _plain(match[3], lower=bool(chord))
    said = clean(written, 40)
    if name is None:
        raise ValueError(f"{said!r} is not a key; Write a key such as x, F5 or ctrl+x.")
    if shift and len(name) == 1:
        raise ValueError(f"{said!r} is a letter with shift; Write {name.upper()!r}.")
    spelled = f"{chord}{shift}{name}"
    if spelled in _SAME:
        same = _SAME[spelled]
        raise ValueError(f"{said!r} looks like {same!r} to a terminal; Write {same!r}.")
    return spelled


def _plain(written: str, *, lower: bool) -> str | None:
    """The name of a key without modifiers; None when there is no such key."""
    if len(written) == 1 and written.isalnum() and written.isascii():
        return written.lower() if lower else written
    named = written.lower()
    name = _SIGNS.get(written) or _MEANT.get(named, named)
    return name if name in _SHOWN else None


def key_caption(name: str) -> str:
    """A key as it is printed on a keyboard: `PgDn`, `Ctrl+d`, `/`."""
    *held, plain = name.split("+")
    return "+".join([*(_MODIFIERS.get(one, one) for one in held), _SHOWN.get(plain, plain)])
