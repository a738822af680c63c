"""Secrets: resolved from the references of a configuration, and never printed."""

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from watchdeck.domain.values.secret import Secret
from watchdeck.domain.values.text import clean
from watchdeck.errors import WatchdeckError

_LARGEST = 16 * 1024
"""Bytes of a secret; no header is longer."""

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""O_NONBLOCK: a pipe in place of a file must not block the collector."""


class SecretError(WatchdeckError):
    """A secret that cannot be resolved; the text names its source, never its value."""


def resolve_secret(secret: Secret, environ: Mapping[str, str] = os.environ) -> str:
    """Read the value of a secret; its `prefix` is not added. Raises SecretError.

    A file must be a regular one that belongs to us or to root and that no other user may read.
    """
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
