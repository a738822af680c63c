"""Configuration files, read within limits and parsed as TOML, and the paths in them."""

import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.config.reading.problems import ConfigProblems, Problem
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.endpoint import Canary, Endpoint
from watchdeck.domain.settings.intake import Alertmanager, Intake
from watchdeck.domain.settings.receivers import Channel, Heartbeat, OnCallSchedule
from watchdeck.domain.values.secret import Secret, Tls
from watchdeck.domain.values.text import clean

_LARGEST = 4 << 20
"""Bytes of a configuration; ten thousand endpoints take 3 MiB."""

_MOST_PARTS = 16
"""Parts of a dotted key; `tomllib` needs quadratic time for a long one."""

_PART = r"""(?:[A-Za-z0-9_-]++|"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"?+|'[^'\n]*+'?+)"""
_KEY_PART = re.compile(_PART)
_KEY = re.compile(rf"{_PART}(?:[ \t]*+\.[ \t]*+{_PART})*+")

_POSITION = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)


_PATHS: dict[type, tuple[str, ...]] = {
    Settings: ("store",),
    Secret: ("file",),
    Tls: ("ca", "certificate", "key"),
    Canary: ("body_file",),
    Channel: ("ca",),
    Heartbeat: ("ca",),
    OnCallSchedule: ("calendar",),
}
"""The settings that are paths, by their table."""

_TABLES: dict[type, tuple[str, ...]] = {
    Settings: ("endpoint", "intake", "alertmanager", "channel", "rota", "heartbeat"),
    Endpoint: ("headers", "tls", "canary"),
    Intake: ("token",),
    Alertmanager: ("headers", "tls"),
    Channel: ("url", "headers", "routing_key", "token"),
    Heartbeat: ("url",),
}
"""The settings that are tables with paths, or hold such tables."""


class ConfigText(Struct, frozen=True):
    """The text of a file; `private` when only the file's owner can read it."""

    text: str
    private: bool


def read_file(path: Path) -> ConfigText:
    """Read a file. Raises ConfigProblems when it cannot be read or is over 4 MiB."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            body = file.read(_LARGEST + 1)
    except FileNotFoundError:
        hint = "`watchdeck init URL` writes one."
        raise ConfigProblems(str(path), [Problem("", "there is no such file", hint)]) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "its path is not one"
        raise ConfigProblems(str(path), [Problem("", f"cannot be read: {why}")]) from None
    if len(body) > _LARGEST:
        raise ConfigProblems(str(path), [Problem("", f"is over {_LARGEST >> 20} MiB")])
    private = stat.S_ISREG(mode) and not mode & (stat.S_IRWXG | stat.S_IRWXO)
    try:
        return ConfigText(body.decode("utf-8-sig"), private)
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        problem = Problem("", f"line {line} is not UTF-8 text")
        raise ConfigProblems(str(path), [problem]) from None


def parse(file: str, text: str) -> dict[str, Any]:
    """Parse a TOML text; `file` is named in errors. Raises ConfigProblems with line and column."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") >= _MOST_PARTS and _has_long_key(line):
            problem = Problem("", f"line {number} has a key of more than {_MOST_PARTS} parts")
            raise ConfigProblems(file, [problem])
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigProblems(file, [_syntax_problem(str(error))]) from None
    except RecursionError:
        raise ConfigProblems(file, [Problem("", "is nested too deeply")]) from None
    except ValueError:
        raise ConfigProblems(file, [Problem("", "has a number that is too long")]) from None


def _has_long_key(line: str) -> bool:
    """Whether a line has a dotted key with too many parts; texts in quotes count as one part."""
    runs = (match[0] for match in _KEY.finditer(line))
    return any(len(_KEY_PART.findall(run)) > _MOST_PARTS for run in runs)


def _syntax_problem(message: str) -> Problem:
    match = _POSITION.fullmatch(message)
    what = clean(match[1] if match else message, 200)
    where = f"line {match[2]}, column {match[3]}" if match and match[2] else "at its end"
    hint = 'Texts are in quotes: key = "text".' if "Invalid value" in what else ""
    return Problem("", f"{where}: {what[:1].lower()}{what[1:]}", hint)


def resolve_paths(settings: Settings, file: Path) -> Settings:
    """The settings with every path made absolute, as by `absolute_path`.

    Relative paths are below the folder of `file`.
    """
    resolved: Settings = _resolve(settings, file.absolute().parent)
    return resolved


def _resolve(value: Any, base: Path) -> Any:
    """A copy of a value in which every path is absolute, in inner tables too."""
    if isinstance(value, tuple):
        return tuple(_resolve(one, base) for one in value)
    if isinstance(value, dict):
        return {name: _resolve(one, base) for name, one in value.items()}
    kind = type(value)
    changes = {name: _resolve(getattr(value, name), base) for name in _TABLES.get(kind, ())}
    for name in _PATHS.get(kind, ()):
        text = getattr(value, name)
        changes[name] = None if text is None else absolute_path(text, base)
    if isinstance(value, Channel) and value.command and "/" in value.command[0]:
        changes["command"] = (absolute_path(value.command[0], base), *value.command[1:])
    return replace(value, **changes) if changes else value


def absolute_path(text: str, base: Path) -> str:
    """Make a path absolute: `~` is expanded, and a relative path is below `base`.

    `~` of an unknown user stays as written, so such a file is not found later.
    """
    return str(base / os.path.expanduser(text))  # noqa: PTH111 - Path raises for no such user
