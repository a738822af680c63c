"""Problems of a configuration: where, what, and what would be right; all of them at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from watchdeck.domain.values.text import clean
from watchdeck.errors import ConfigError

_SHOWN = 50
"""Problems that are listed; nobody reads more before mending the first."""

_BARE = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII)

_SYNONYMS = {
    "interval": "every",
    "scrape_interval": "every",
    "period": "every",
    "address": "url",
    "host": "url",
    "target": "url",
    "targets": "url",
    "type": "kind",
    "server": "kind",
    "tags": "labels",
    "team": "owner",
    "token": "headers",
    "auth": "headers",
    "model_name": "model",
    "skip_verify": "insecure",
    "expr": "when",
    "condition": "when",
    "alert": "name",
    "hold": "for",
    "keep_firing_for": "resolve_for",
    "summary": "message",
    "runbook_url": "runbook",
}
"""What settings are called elsewhere."""


class Problem(Struct, frozen=True):
    """One problem: the path of its key, what is wrong there, and what would work.

    The key is empty when the whole file is meant. All texts are clean. `file` is named where it is
    not the one that is read.
    """

    key: str
    text: str
    hint: str = ""
    file: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.key, _sentence(self.text), self.hint)))


class ConfigProblems(ConfigError):
    """A configuration with problems, one a line, each with its file."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        self.file = clean(file)
        self.problems = tuple(problems)
        lines = [f"{one.file or self.file}: {one}" for one in self.problems[:_SHOWN]]
        if len(self.problems) > _SHOWN:
            lines.append(f"{self.file}: and {len(self.problems) - _SHOWN} more problems.")
        super().__init__("\n".join(lines))


def below(key: str, name: str) -> str:
    """The path of a key in a table; quoted as TOML does when it has to be."""
    shown = name if _BARE.fullmatch(name) else f'"{clean(name, 80)}"'
    return f"{key}.{shown}" if key else shown


def from_error(key: str, error: ValueError) -> Problem:
    """The problem that an error tells, its advice (after `; `) as the hint."""
    text, _, hint = clean(str(error), 400).partition("; ")
    return Problem(key, text, _sentence(hint[:1].upper() + hint[1:]))


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The right name that a wrong one probably means."""
    from difflib import get_close_matches

    by_small = {known.lower(): known for known in names}
    small = name[:80].lower()
    meant = _SYNONYMS.get(small)
    if meant in by_small:
        return meant
    found = get_close_matches(small, by_small, 1)
    return by_small[found[0]] if found else None


def did_you_mean(name: str, names: Iterable[str], otherwise: str = "") -> str:
    """A hint that names the nearest right name, or another hint when none is near."""
    known = list(names)
    near = nearest(name, known)
    return f"Did you mean {clean(near, 80)!r}?" if near is not None else otherwise


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "?")) else f"{text}."
