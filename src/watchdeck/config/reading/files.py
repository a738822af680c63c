"""Configuration files: read whole, within bounds, and taken for TOML or refused in clear words."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

from msgspec import Struct

from watchdeck.config.reading.problems import ConfigProblems, Problem
from watchdeck.domain.values.text import clean

_LARGEST = 4 << 20
"""Bytes of a configuration; ten thousand endpoints take 3 MiB."""

_POSITION = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)


class ConfigText(Struct, frozen=True):
    """A file as it was written; `private` when nobody but its owner can read it."""

    text: str
    private: bool


def read_file(path: Path) -> ConfigText:
    """A file's text. Raises ConfigProblems."""
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
    """The tables of a text. Raises ConfigProblems with the line and column."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigProblems(file, [_syntax(str(error))]) from None
    except RecursionError:
        raise ConfigProblems(file, [Problem("", "is nested too deeply")]) from None
    except ValueError:
        raise ConfigProblems(file, [Problem("", "has a number that is too long")]) from None


def _syntax(said: str) -> Problem:
    match = _POSITION.fullmatch(said)
    what = clean(match[1] if match else said, 200)
    where = f"line {match[2]}, column {match[3]}" if match and match[2] else "at its end"
    hint = 'Texts are in quotes: key = "text".' if "Invalid value" in what else ""
    return Problem("", f"{where}: {what[:1].lower()}{what[1:]}", hint)
