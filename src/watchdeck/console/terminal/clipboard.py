"""Copying over SSH: to the terminal's clipboard (OSC 52), or to a file."""

from __future__ import annotations

import os
import tempfile
from base64 import b64encode
from collections.abc import Mapping

MAX_BYTES = 8_000
"""Most bytes to copy: terminals and multiplexers silently drop longer sequences."""

_NO_CLIPBOARD = ("linux", "vt", "ansi", "cons25", "screen.linux")
"""Beginnings of TERM of terminals without a clipboard."""


def osc52_sequence(text: str, environ: Mapping[str, str]) -> str:
    """The OSC 52 sequence that copies the text; empty without a clipboard, or if it is too long.

    tmux and GNU screen handle the plain sequence or pass on a wrapped one, depending on their
    settings, so they get both.
    """
    body = text.encode()
    if len(body) > MAX_BYTES or environ.get("TERM", "").startswith(_NO_CLIPBOARD):
        return ""
    plain = f"\x1b]52;c;{b64encode(body).decode()}\x07"
    if environ.get("TMUX"):
        return plain + "\x1bPtmux;" + plain.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return plain + f"\x1bP{plain}\x1b\\" if environ.get("STY") else plain


def save_to_file(text: str) -> str:
    """Save the text in a new file that only the user may read; returns its path. Raises OSError."""
    descriptor, path = tempfile.mkstemp(prefix="watchdeck-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        print(text, end="", file=file)
    return path
