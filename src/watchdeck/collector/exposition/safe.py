"""Names and label values as they may be shown."""

from __future__ import annotations

from sys import intern

from watchdeck.domain.text import clean


def safe(text: str, limit: int = 1_024) -> str:
    """The text, cleaned where it is not plain ASCII already; equal ones are one object."""
    if text.isascii() and text.isprintable() and len(text) <= limit:
        return intern(text)
    return intern(clean(text, limit))
