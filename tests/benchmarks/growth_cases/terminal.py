"""What a terminal sends, what its screen is given, and the environment of the console."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

from benchmarks.growth_cases.case import KIB, MIB, Case, Make, cases, repeat, uncached
from watchdeck.console.terminal import cells
from watchdeck.console.terminal.driver import _KeyDecoder
from watchdeck.console.terminal.external_program import editor_command
from watchdeck.notify.command import _read_stderr

KEYS: dict[str, Make] = {
    "escapes": repeat(b"\x1b"),
    "letters": repeat(b"a"),
    "digits of a sequence": repeat(b"1", b"\x1b["),
    "parameters of a sequence": repeat(b";", b"\x1b["),
    "half a mouse report": repeat(b"1;", b"\x1b[<"),
    "mouse reports": repeat(b"\x1b[<0;1;1M"),
    "half a size report": repeat(b"\x1b[48;1:"),
    "codes of one key": repeat(b"1:", b"\x1b[1;1;", b"u"),
    "status responses": repeat(b"\x1b[0n"),
    "mode reports": repeat(b"\x1b[?2026;2$y"),
    "a paste": repeat(b"a", b"\x1b[200~", b"\x1b[201~"),
    "a paste that never ends": repeat(b"a", b"\x1b[200~"),
    "escapes in a paste": repeat(b"\x1b", b"\x1b[200~", b"\x1b[201~"),
    "half ends in a paste": repeat(b"\x1b[20", b"\x1b[200~", b"\x1b[201~"),
    "short pastes": repeat(b"\x1b[200~a\x1b[201~"),
    "half characters": repeat(b"\xe2"),
}


def key_cases() -> Iterator[Case]:
    yield from cases("keys, 4 KiB at a time", _decoder(4 * KIB), KEYS)
    yield from cases("keys, byte by byte", _decoder(1), KEYS)


def _decoder(size: int) -> Callable[[bytes], None]:
    def decode(data: bytes) -> None:
        decoder = _KeyDecoder(debug=False)
        for start in range(0, len(data), size):
            decoder.decode(data[start : start + size])

    return decode


def screen_cases() -> Iterator[Case]:
    texts = {
        "accents": repeat("\u0315\u0316", "a"),
        "wide characters": repeat("漢"),
        "joined emoji": repeat("👩\u200d"),
        "flags": repeat("🇩"),
        "control characters": repeat("\x1b"),
        "simple letters": repeat("é"),
        "letters of Hangul": repeat("\u1100\u1161\u11a8"),
    }
    yield from cases("cells of a text", uncached(cells._split), texts)


def program_cases() -> Iterator[Case]:
    programs = {
        "one word": repeat("a"),
        "words": repeat("a "),
        "quotes": repeat('"a" '),
        "backslashes": repeat("\\"),
        "a quote that never ends": repeat("a", '"'),
    }
    yield from cases("EDITOR", _find_editor, programs, 128 * KIB)
    errors = {"one long line": repeat(b"x"), "many lines": repeat(b"x\n")}
    yield from cases("errors of a command", _read_errors, errors, 4 * MIB)


def _find_editor(text: str) -> object:
    return editor_command({"EDITOR": text, "PATH": "/nowhere"})


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended, with what it wrote to standard error."""

    stderr: asyncio.StreamReader


def _read_errors(data: bytes) -> bytes:
    async def read() -> bytes:
        stderr = asyncio.StreamReader()
        stderr.feed_data(data)
        stderr.feed_eof()
        return await _read_stderr(cast("Process", Ended(stderr)))

    return asyncio.run(read())


def all_cases() -> Iterator[Case]:
    yield from key_cases()
    yield from screen_cases()
    yield from program_cases()
