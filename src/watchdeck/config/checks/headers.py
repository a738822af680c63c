"""Headers and the secrets in them: sendable, by reference, or in a file that only we can read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from watchdeck.config.checks.text import has_password
from watchdeck.config.reading.problems import Problem, below
from watchdeck.domain.settings.endpoint import Endpoint, Secret

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_TELLS = re.compile(r"authorization|cookie|token|secret|passw|api-?_?key|credential", re.IGNORECASE)

_OURS = (
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "accept-encoding",
    "upgrade",
    "te",
    "trailer",
)
"""Headers that the reader sets itself, or that would change how an answer is read."""

_OPEN = "in a file that others can read"
_ALONE = "Make that file yours alone (chmod 600), or"


def wrong_headers(endpoint: Endpoint) -> Iterator[Problem]:
    """Headers that cannot be sent, are given twice, or are ours."""
    seen: set[str] = set()
    for name, value in endpoint.headers.items():
        key, small = below("headers", name), name.lower()
        if not _TOKEN.fullmatch(name):
            yield Problem(key, "is not the name of a header")
        elif small in _OURS:
            yield Problem(key, "is set by watchdeck itself", "Leave it out.")
        elif small in seen:
            yield Problem(key, "is given twice", "Capitals make no difference.")
        seen.add(small)
        text = value.prefix if isinstance(value, Secret) else value
        if not (text.isascii() and text.isprintable()):
            yield Problem(key, "has a character that HTTP does not allow")
        if isinstance(value, Secret):
            yield from wrong_secret(key, value)


def open_secrets(endpoint: Endpoint) -> Iterator[Problem]:
    """Secrets that stand in a configuration which others can read."""
    for name, value in endpoint.headers.items():
        if isinstance(value, str) and _TELLS.search(name):
            text, hint = "is a secret", 'write {env = "NAME"} or {file = "PATH"}.'
            yield Problem(below("headers", name), f"{text} {_OPEN}", f"{_ALONE} {hint}")
    for key in ("url", "metrics_url"):
        if has_password(getattr(endpoint, key) or ""):
            text, hint = "holds a password", "send it in a header, from {env} or {file}."
            yield Problem(key, f"{text} {_OPEN}", f"{_ALONE} {hint}")


def wrong_secret(key: str, secret: Secret) -> Iterator[Problem]:
    """A reference that names no place, or two."""
    if (secret.env is None) == (secret.file is None):
        yield Problem(key, "needs one of env and file")
    elif secret.env is not None and not _VARIABLE.fullmatch(secret.env):
        hint = 'Write the name alone, as in {env = "TOKEN"}.'
        yield Problem(f"{key}.env", "is not the name of an environment variable", hint)
    elif secret.file == "":
        yield Problem(f"{key}.file", "is empty")
