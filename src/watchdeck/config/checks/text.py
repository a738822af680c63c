"""Texts and addresses of a configuration: bounded, visible, and what they claim to be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import asdict

from watchdeck.config.reading.problems import Problem, below
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.values.text import clean

_LIMITS = {"name": 80, "url": 2_048, "metrics_url": 2_048, "canary.body": 1 << 20}
_LIMIT = 1_024
_MANY_LINES = {"canary.body"}
"""Settings that are sent and never shown."""

_MOST = {"labels": 30, "headers": 50, "map": 100}
_MOST_ITEMS = 200

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def wrong_texts(endpoint: Endpoint) -> Iterator[Problem]:
    """Texts that are empty, too long, or hold what a terminal would obey; none is repeated."""
    yield from bad_texts(endpoint)
    yield from wrong_name(endpoint.name)


def bad_texts(holder: Any) -> Iterator[Problem]:
    """Texts of any table that are too long, or hold what a terminal would obey."""
    for key, text in _texts(holder):
        limit = _LIMITS.get(key, _LIMIT)
        if len(text) > limit:
            yield Problem(key, f"is longer than {limit} characters")
        elif key not in _MANY_LINES and (code := _unseen(text)):
            yield Problem(key, f"has a character that no screen shows ({code})", "Leave it out.")


def wrong_name(name: str) -> Iterator[Problem]:
    """A name that nobody could write again."""
    if not name.strip() or name != name.strip():
        yield Problem("name", "is empty, or begins or ends with a blank")


def wrong_sizes(endpoint: Endpoint) -> Iterator[Problem]:
    """Lists and tables that are longer than any page or screen can take."""
    for name, value in asdict(endpoint).items():
        most = _MOST.get(name, _MOST_ITEMS)
        if isinstance(value, dict | tuple) and len(value) > most:
            yield Problem(name, f"has {len(value)} entries; at most {most} are taken")


def wrong_urls(endpoint: Endpoint) -> Iterator[Problem]:
    """Addresses that nobody can ask."""
    for key in ("url", "metrics_url"):
        text = getattr(endpoint, key)
        if text is not None and (problem := wrong_url(text)):
            yield Problem(key, *problem)


def wrong_url(text: str) -> tuple[str, str] | None:
    """What is wrong with an address and what would be right; None when it can be asked.

    The address is not repeated: it may hold a password.
    """
    if not _SCHEME.match(text):
        return "has no scheme", 'Write "http://HOST:PORT".'
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
        if not host.isascii():  # the codec costs 5 ms to load
            host.encode("idna")
    except ValueError:
        return "cannot be read", 'Write "http://HOST:PORT".'
    if parts.scheme not in ("http", "https"):
        return f"cannot be asked over {clean(parts.scheme, 20)}", "Write http or https."
    if not host or any(letter in parts.netloc for letter in " \t\\"):
        return "names no host", 'Write "http://HOST:PORT".'
    if port == 0:
        return "has port 0", "Ports are 1 to 65535."
    return None


def _unseen(text: str) -> str | None:
    if clean(text, len(text) + 1) == text:
        return None
    unseen = (letter for letter in text if clean(letter) != letter)
    return next((f"U+{ord(letter):04X}" for letter in unseen), None)


def has_password(text: str) -> bool:
    """Whether an address holds a password."""
    try:
        return urlsplit(text).password is not None
    except ValueError:
        return False


def _texts(holder: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a table and in what it holds, with the path of its key."""
    for name, value in asdict(holder).items():
        if value:
            yield from _texts_in(value, f"{key}.{name}" if key else name)


def _texts_in(value: object, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _texts_in(item, f"{key}[{number}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            at = below(key, name)
            yield at, name
            yield from _texts_in(item, at)
    elif isinstance(value, Struct):
        yield from _texts(value, key)
