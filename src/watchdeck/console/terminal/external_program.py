"""External programs that take over the terminal for a while: the user's pager and editor."""

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
_LONGEST = 4_096
"""Characters of a variable that are read: `shlex` needs 70 ms for 128 KiB."""

_EDITORS = ("editor", "nano", "vi")

_KEY_SIGNALS = (signal.SIGINT, signal.SIGQUIT)
"""Signals that keys send: every program on the terminal gets them, also the console."""


class ProgramNotFound(WatchdeckError):
    """No such program is installed."""


def pager_command(environ: Mapping[str, str]) -> list[str]:
    """The command that shows a text page by page. Raises ProgramNotFound."""
    return _find_program(environ, ("PAGER",), _PAGERS)


def editor_command(environ: Mapping[str, str]) -> list[str]:
    """The command that edits a file. Raises ProgramNotFound."""
    return _find_program(environ, ("VISUAL", "EDITOR"), _EDITORS)


def _find_program(
    environ: Mapping[str, str], variables: Sequence[str], usual: Sequence[str]
) -> list[str]:
    """The program that the first set variable names, else the first installed one of `usual`."""
    for variable in variables:
        if environ.get(variable, "").strip():
            return _program_from_variable(variable, environ)
    found = next((one for one in usual if _is_installed(one, environ)), None)
    if found is None:
        names, others = " and ".join(variables), ", ".join(usual)
        raise ProgramNotFound(f"{names} name no program, and none of {others} is on this machine")
    return [found]


def _program_from_variable(variable: str, environ: Mapping[str, str]) -> list[str]:
    value = environ[variable]
    if len(value) > _LONGEST:
        reason = f"{variable} has {len(value)} characters; at most {_LONGEST} are read"
        raise ProgramNotFound(reason)
    try:
        command = shlex.split(value)
    except ValueError as error:
        reason = f"{variable} is {clean(value, 60)!r}, which cannot be read: {error}"
        raise ProgramNotFound(reason) from None
    if not command or not _is_installed(command[0], environ):
        raise ProgramNotFound(f"{variable} is {clean(value, 60)!r}, which is no program here")
    return command


def _is_installed(name: str, environ: Mapping[str, str]) -> bool:
    return shutil.which(name, path=environ.get("PATH")) is not None


def run_in_terminal(
    command: Sequence[str], environ: Mapping[str, str], text: str | None = None
) -> str:
    """Run a program on this terminal until it ends; returns an error text, empty on success.

    The program reads `text` from standard input. `less` runs without shell commands, and does not
    quit when the text fits on one screen.
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
        with _ignore_signals(_KEY_SIGNALS):
            process.communicate(text)
        return process.returncode


@contextmanager
def _ignore_signals(numbers: Sequence[signal.Signals]) -> Iterator[None]:
    """Ignore signals inside the block; a program started before does not inherit that."""
    before = [(number, signal.signal(number, signal.SIG_IGN)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
