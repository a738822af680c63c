"""Programs of the person's own that get the terminal for a while: a pager, an editor."""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from watchdeck.domain.values.text import clean
from watchdeck.errors import WatchdeckError

_PAGERS = ("less", "more")
_EDITORS = ("editor", "nano", "vi")

_KEYS = (signal.SIGINT, signal.SIGQUIT)
"""What keys of the terminal send to every program on it; they are meant for the one in view."""


class ProgramMissing(WatchdeckError):
    """A program that is not there."""


def pager(environ: Mapping[str, str]) -> list[str]:
    """What shows a text page by page. Raises OutsideError."""
    return _program(environ, ("PAGER",), _PAGERS)


def editor(environ: Mapping[str, str]) -> list[str]:
    """What edits a file. Raises OutsideError."""
    return _program(environ, ("VISUAL", "EDITOR"), _EDITORS)


def _program(
    environ: Mapping[str, str], variables: Sequence[str], usual: Sequence[str]
) -> list[str]:
    """The program that the first variable names, else the first usual one that is here."""
    for variable in variables:
        if environ.get(variable, "").strip():
            return _named(variable, environ)
    found = next((one for one in usual if _is_here(one, environ)), None)
    if found is None:
        names, others = " and ".join(variables), ", ".join(usual)
        raise ProgramMissing(f"{names} name no program, and none of {others} is on this machine")
    return [found]


def _named(variable: str, environ: Mapping[str, str]) -> list[str]:
    written = environ[variable]
    try:
        command = shlex.split(written)
    except ValueError as error:
        said = f"{variable} is {clean(written, 60)!r}, which cannot be read: {error}"
        raise ProgramMissing(said) from None
    if not command or not _is_here(command[0], environ):
        raise ProgramMissing(f"{variable} is {clean(written, 60)!r}, which is no program here")
    return command


def _is_here(name: str, environ: Mapping[str, str]) -> bool:
    return shutil.which(name, path=environ.get("PATH")) is not None


def run_in_terminal(
    command: Sequence[str], environ: Mapping[str, str], text: str | None = None
) -> str:
    """Run a program on this terminal until it ends; what went wrong with it, in words.

    It reads the text, if there is one. `less` is no door to a shell, and stays for a short text.
    """
    name = clean(command[0], 40)
    less = {"LESSSECURE": "1", "LESS": f"{environ.get('LESS', '')} -+F"}
    try:
        code = _run(command, {**environ, **less}, text)
    except OSError as error:
        return f"{name} could not be started: {error.strerror}"
    if not code:
        return ""
    return f"{name} ended {f'with code {code}' if code > 0 else f'by signal {-code}'}"


def _run(command: Sequence[str], environ: Mapping[str, str], text: str | None) -> int:
    terminal = sys.__stderr__  # stdout may be a file
    with subprocess.Popen(  # noqa: S603 - the person's own program, by an argument list
        command,
        stdin=None if text is None else subprocess.PIPE,
        stdout=terminal,
        stderr=terminal,
        env=environ,
        text=True,
        errors="replace",
    ) as process:
        with _unheard(_KEYS):
            process.communicate(text)
        return process.returncode


@contextmanager
def _unheard(numbers: Sequence[signal.Signals]) -> Iterator[None]:
    """Ignore signals; set after the program began, which would inherit that."""
    before = [(number, signal.signal(number, signal.SIG_IGN)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
