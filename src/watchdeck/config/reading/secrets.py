"""Secrets: looked up where a configuration points, and never told again."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from watchdeck.domain.settings.endpoint import Secret
from watchdeck.domain.values.text import clean
from watchdeck.errors import WatchdeckError

_LARGEST = 16 * 1024
"""Bytes of a secret; no header is longer."""

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""A pipe in place of a file must not keep the collector waiting."""


class SecretError(WatchdeckError):
    """A secret that cannot be had; the text names where it was looked for, never what it holds."""


def resolve_secret(secret: Secret, environ: Mapping[str, str] = os.environ) -> str:
    """The value of a secret, without its prefix. Raises SecretError.

    A file is taken only when it is a regular one of ours or root's that nobody else may read.
    """
    if secret.file is not None:
        return _one_line(_in_file(Path(secret.file), environ), f"the file {_named(secret.file)}")
    if secret.env is None:
        raise SecretError("the secret names neither an environment variable nor a file")
    where = f"the environment variable {_named(secret.env)}"
    value = environ.get(secret.env)
    if value is None:
        raise SecretError(f"{where} is not set")
    return _one_line(value, where)


def _in_file(path: Path, environ: Mapping[str, str]) -> str:
    where = f"the file {_named(str(path))}"
    try:
        opened = os.open(path.expanduser(), _FLAGS)
        try:
            _refuse(where, os.fstat(opened), given=_is_given(path, environ))
            body = os.read(opened, _LARGEST + 1)
        finally:
            os.close(opened)
    except (OSError, ValueError, RuntimeError) as error:
        raise SecretError(f"{where} cannot be read: {_why(error)}") from None
    if len(body) > _LARGEST:
        raise SecretError(f"{where} is over 16KiB, too much for a secret")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        # without its cause: that error carries the bytes
        raise SecretError(f"{where} is not UTF-8 text") from None


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        linked = error.errno == errno.ELOOP
        return "it is a symbolic link; name the file itself" if linked else str(error.strerror)
    return "its path is not one"


def _refuse(where: str, found: os.stat_result, *, given: bool) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise SecretError(f"{where} is not a regular file")
    if found.st_uid not in (0, os.geteuid()):
        raise SecretError(f"{where} belongs to somebody else; it must be yours or root's")
    shared = found.st_mode & (0o037 if given else 0o077)
    if shared:
        raise SecretError(f"{where} is open to others; chmod 600 closes it")


def _is_given(path: Path, environ: Mapping[str, str]) -> bool:
    """Whether the service manager gave this file: it opens it to us by an ACL, seen as 0440."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    return folder is not None and path.parent == Path(folder)


def _one_line(value: str, where: str) -> str:
    line = value.strip(" \t\r\n")
    if not line:
        raise SecretError(f"{where} is empty")
    if not line.isprintable():
        raise SecretError(f"{where} holds more than one line, or control characters")
    return line


def _named(name: str) -> str:
    return clean(name, 200)
