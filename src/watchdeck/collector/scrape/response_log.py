"""From an answer to what is kept of it for a person's eyes: cleaned, cut, without secrets."""

from __future__ import annotations

from collections.abc import Callable

from watchdeck.domain.kinds.kind import ProbeResponse
from watchdeck.domain.metrics.scrape import ResponseRecord
from watchdeck.domain.values.text import clean

RENEW = 60_000
"""Milliseconds after which the same answer is kept anew; another outcome is kept at once."""

LINES, CHARACTERS = 20, 160
"""How much of a body is kept: its first lines, and of each its first characters."""

MOST = 8
"""Questions of one endpoint whose answers are kept."""

_READ = 4_096
_LONGEST = 1_024
"""Bytes of a body, and how much more is read: a secret at the edge must be whole to be found."""

_HEADERS = ("content-type", "content-encoding", "server", "retry-after")
"""Headers that tell something about an answer, and never who asked."""


def raw_response(
    asked: str, at: int, answer: ProbeResponse, redacted: Callable[[str], str]
) -> ResponseRecord:
    """An answer as it is kept; `redacted` takes secrets out that a server sent back."""
    told = (f"{name}: {answer.headers[name]}" for name in _HEADERS if name in answer.headers)
    text = redacted(answer.body[: _READ + _LONGEST].decode("utf-8", "replace"))[:_READ]
    lines = [clean(line, CHARACTERS) for line in text.splitlines()[:LINES]]
    return ResponseRecord(
        clean(asked, 200),
        at,
        answer.status,
        clean(redacted("; ".join(told)), 300),
        "\n".join(lines),
    )
