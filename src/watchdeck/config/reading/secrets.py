"""Secrets: resolved from the references of a configuration, and never printed."""

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.settings.intake import Alertmanager, Intake
from watchdeck.domain.settings.receivers import Channel, Heartbeat
from watchdeck.domain.values.secret import (
    SHORTEST_SECRET,
    Secret,
    url_secrets,
)
from watchdeck.domain.values.text import clean
from watchdeck.errors import WatchdeckError
from watchdeck.redaction import remember, remember_address, remember_header

_LARGEST = 16 * 1024
"""Bytes of a secret; no header is longer."""

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""O_NONBLOCK: a pipe in place of a file must not block the collector."""


SECRET_SETTINGS: dict[type, tuple[str, ...]] = {
    Endpoint: ("headers",),
    Intake: ("token",),
    Alertmanager: ("headers",),
    Channel: ("url", "headers", "routing_key", "token"),
    Heartbeat: ("url",),
}
"""The settings that are secrets, or tables of them, by their table: written out, or as Secret."""

ADDRESS_SETTINGS: dict[type, tuple[str, ...]] = {
    Endpoint: ("url", "metrics_url"),
    Alertmanager: ("url", "external_url"),
    Channel: ("api",),
}
"""The settings whose text is an address that may have a password or a key in it."""

_LEAST_BODY = 16
"""Characters of the shortest body of a canary that is hidden as a whole; `{}` is no secret."""


class SecretError(WatchdeckError):
    """A secret that cannot be resolved; the text names its source, never its value."""


def resolve_secret(secret: Secret, environ: Mapping[str, str] = os.environ) -> str:
    """Read the value of a secret; its `prefix` is not added. Raises SecretError.

    From then on, no text of this process shows it.
    A file must be a regular one that belongs to us or to root and that no other user may read.
    """
    value = _read_value(secret, environ)
    remember(value)
    return value


def _read_value(secret: Secret, environ: Mapping[str, str]) -> str:
    if secret.file is not None:
        text = _read_file(Path(secret.file), environ)
        return _one_line(text, f"the file {_clean_name(secret.file)}")
    if secret.env is None:
        raise SecretError("the secret names neither an environment variable nor a file")
    where = f"the environment variable {_clean_name(secret.env)}"
    value = environ.get(secret.env)
    if value is None:
        raise SecretError(f"{where} is not set")
    return _one_line(value, where)


def _read_file(path: Path, environ: Mapping[str, str]) -> str:
    where = f"the file {_clean_name(str(path))}"
    try:
        descriptor = os.open(path.expanduser(), _FLAGS)
        try:
            _check_file(where, os.fstat(descriptor), is_credential=_is_credential(path, environ))
            body = os.read(descriptor, _LARGEST + 1)
        finally:
            os.close(descriptor)
    except (OSError, ValueError, RuntimeError) as error:
        raise SecretError(f"{where} cannot be read: {_reason(error)}") from None
    if len(body) > _LARGEST:
        raise SecretError(f"{where} is over 16KiB, too much for a secret")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        # without its cause: that error carries the bytes
        raise SecretError(f"{where} is not UTF-8 text") from None


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        linked = error.errno == errno.ELOOP
        return "it is a symbolic link; name the file itself" if linked else str(error.strerror)
    return "its path is not one"


def _check_file(where: str, status: os.stat_result, *, is_credential: bool) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise SecretError(f"{where} is not a regular file")
    if status.st_uid not in (0, os.geteuid()):
        raise SecretError(f"{where} belongs to somebody else; it must be yours or root's")
    shared = status.st_mode & (0o037 if is_credential else 0o077)
    if shared:
        raise SecretError(f"{where} is open to others; chmod 600 closes it")


def _is_credential(path: Path, environ: Mapping[str, str]) -> bool:
    """Whether systemd provided this file: its ACL for us looks like mode 0440."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    return folder is not None and path.parent == Path(folder)


def _one_line(value: str, where: str) -> str:
    line = value.strip(" \t\r\n")
    if not line:
        raise SecretError(f"{where} is empty")
    if not line.isprintable():
        raise SecretError(f"{where} holds more than one line, or control characters")
    return line


def _clean_name(name: str) -> str:
    return clean(name, 200)


def remember_settings(settings: Settings) -> None:
    """Hide each secret that a configuration writes out; those it refers to are hidden when read."""
    for table in secret_tables(settings):
        for name, value in _secrets_of(table):
            if isinstance(value, str):
                _remember_text(name, value)
        for name in ADDRESS_SETTINGS.get(type(table), ()):
            remember(*url_secrets(getattr(table, name) or ""))
    bodies = (one.canary.body or "" for one in settings.endpoint if one.canary is not None)
    remember(*(body for body in bodies if len(body) >= _LEAST_BODY))


def short_secrets(settings: Settings) -> Iterator[str]:
    """The settings whose secret is too short to be hidden, such as `token` of channel `phone`.

    A secret that cannot be read is left out.
    """
    for table in secret_tables(settings):
        kind = type(table).__name__.lower()
        name = f" of {kind} {getattr(table, 'name', '')}".rstrip()
        for setting, value in _secrets_of(table):
            if isinstance(value, Secret) and len(_try_resolve(value)) < SHORTEST_SECRET:
                yield f"{setting}{name}"


def _try_resolve(secret: Secret) -> str:
    """The value of a secret; a text that is long enough when it cannot be read."""
    try:
        return resolve_secret(secret)
    except SecretError:
        return SHORTEST_SECRET * "?"


def secret_tables(settings: Settings) -> Iterator[object]:
    """Every table of a configuration that may hold a secret."""
    yield from (*settings.endpoint, *settings.alertmanager, *settings.channel)
    yield from (one for one in (settings.intake, settings.heartbeat) if one is not None)


def _secrets_of(table: object) -> Iterator[tuple[str, str | Secret]]:
    """The secrets of a table that are set, each with its setting (`headers.NAME` of a header)."""
    for name in SECRET_SETTINGS.get(type(table), ()):
        value: Any = getattr(table, name)
        if isinstance(value, dict):
            yield from ((f"{name}.{key}", one) for key, one in value.items())
        elif value is not None:
            yield name, value


def _remember_text(name: str, text: str) -> None:
    """Hide the secrets in the text of a setting: an address of a receiver, or a header."""
    if name.startswith("headers."):
        remember_header(name.removeprefix("headers."), text)
    else:
        remember_address(text)
