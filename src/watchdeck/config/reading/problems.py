"""Problems of a configuration: the place, what is wrong, and a hint."""

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import islice

from msgspec import Struct

from watchdeck.domain.values.text import clean
from watchdeck.errors import ConfigError

MAX_LISTED = 50
"""Problems that are listed; nobody reads more before fixing the first ones."""

MAX_COUNTED = 200
"""Problems after which the checks stop: a hint takes up to 5 ms among 10,000 names."""

_MAX_COMPARED = 64
"""Known names that a wrong one is compared with, each for up to 0.4 ms."""

_BARE = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII)

SYNONYMS = {
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
"""Names of settings in other tools, with the names here."""


class Problem(Struct, frozen=True):
    """One problem of a configuration; control characters in its texts are escaped."""

    key: str
    """The path of the setting; empty for the whole file."""
    text: str
    """What is wrong."""
    hint: str = ""
    """What would work; may be empty."""
    file: str = ""
    """The file of the problem; empty for the configuration file itself."""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.key, _with_full_stop(self.text), self.hint)))


class ConfigProblems(ConfigError):
    """The error of a configuration with problems; its text has each on a line, with its file."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        self.file = clean(file)
        self.problems = tuple(problems)
        lines = [f"{one.file or self.file}: {one}" for one in self.problems[:MAX_LISTED]]
        if len(self.problems) > MAX_LISTED:
            least = "at least " if len(self.problems) >= MAX_COUNTED else ""
            more = len(self.problems) - MAX_LISTED
            lines.append(f"{self.file}: and {least}{more} more problems.")
        super().__init__("\n".join(lines))


def collect(problems: list[Problem], found: Iterable[Problem]) -> None:
    """Append problems up to MAX_COUNTED in all; checks that are generators then go no further."""
    problems.extend(islice(found, max(0, MAX_COUNTED - len(problems))))


def child_key(key: str, name: str) -> str:
    """The dotted path of the key `name` in the table at `key`; quoted as in TOML if necessary."""
    shown = name if _BARE.fullmatch(name) else f'"{clean(name, 80)}"'
    return f"{key}.{shown}" if key else shown


def from_error(key: str, error: Exception) -> Problem:
    """The problem of the setting at `key` that an error describes.

    The error's text up to `; ` is the problem, and the rest is the hint how to solve it.
    """
    text, _, hint = clean(str(error), 400).partition("; ")
    return Problem(key, text, _with_full_stop(hint[:1].upper() + hint[1:]))


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The known name that a wrong one probably means; None when none is near."""
    from difflib import get_close_matches

    by_lower = {known.lower(): known for known in names}
    lower = name[:80].lower()
    synonym = SYNONYMS.get(lower)
    if synonym in by_lower:
        return synonym
    found = get_close_matches(lower, _comparable_names(lower, by_lower), 1)
    return by_lower[found[0]] if found else None


def _comparable_names(name: str, names: Collection[str]) -> Collection[str]:
    """The names that `name` is compared with: of many, those with the longest common beginning."""
    if len(names) <= _MAX_COMPARED:
        return names
    for size in (16, 8, 4, 2, 1):
        near = [one for one in names if one.startswith(name[:size])]
        if near:
            return near[:_MAX_COMPARED]
    return list(names)[:_MAX_COMPARED]


def did_you_mean(name: str, names: Iterable[str], otherwise: str = "") -> str:
    """A hint with the nearest known name, or `otherwise` when none is near."""
    known = list(names)
    near = nearest(name, known)
    return f"Did you mean {clean(near, 80)!r}?" if near is not None else otherwise


def _with_full_stop(text: str) -> str:
    return text if not text or text.endswith((".", "?")) else f"{text}."
