"""Copying over SSH: the terminal is asked to keep a text, or a file keeps it."""

from __future__ import annotations

import os
import tempfile
from base64 import b64encode
from collections.abc import Mapping

MOST = 8_000
"""Bytes that are sent: terminals and multiplexers drop longer ones without a word."""

_WITHOUT = ("linux", "vt", "ansi", "cons25", "screen.linux")
"""How terminals are called that have no clipboard."""


def osc52_sequence(text: str, environ: Mapping[str, str]) -> str:
    """What asks the terminal (OSC 52) to keep the text; empty where it cannot, or not so much.

    A multiplexer keeps such a question for itself, or hands it on when it is wrapped: which of the
    two is its own setting, so it gets both.
    """
    body = text.encode()
    if len(body) > MOST or environ.get("TERM", "").startswith(_WITHOUT):
        return ""
    plain = f"\x1b]52;c;{b64encode(body).decode()}\x07"
    if environ.get("TMUX"):
        return plain + "\x1bPtmux;" + plain.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return plain + f"\x1bP{plain}\x1b\\" if environ.get("STY") else plain


def save(text: str) -> str:
    """Keep the text in a file that nobody else may read; its path. Raises OSError."""
    descriptor, path = tempfile.mkstemp(prefix="watchdeck-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        print(text, end="", file=file)
    return path
