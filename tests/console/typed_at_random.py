"""A console with a store of its own, and random keys: `python typed_at_random.py SEED FOLDER`.

With an even SEED it shows its store, else hostile boards on which every screen has something. An
action succeeds or is refused, an editor leaves a configuration with problems, and a pager ends at
once.
"""

from __future__ import annotations

import os
import random
import sys
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from console import boards, hostile
from store.alerts.made import fire
from store.stores import scrape, write
from watchdeck.actions.actor import Actor
from watchdeck.console.app import Console
from watchdeck.console.input.keys import KEYS
from watchdeck.console.run import drive
from watchdeck.console.state.board_source import BoardSource
from watchdeck.console.state.services import ConsolePresence, Services
from watchdeck.domain.values.operator import Operator
from watchdeck.store.files.connection import open_writable
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.migrations import prepare
from watchdeck.store.presence import PresenceFile
from watchdeck.store.reader import Reader

SIZE = 1_000
"""Bytes of the keys of one seed."""

_MODELS = 4
_LEFT_OUT = ("Q", "ctrl+z")
"""Keys that do what they should: one ends the console, one stops the process."""

_NAMED = {
    "enter": "\r", "escape": "\x1b", "tab": "\t", "shift+tab": "\x1b[Z", "backspace": "\x7f",
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "home": "\x1b[H",
    "end": "\x1b[F", "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "delete": "\x1b[3~",
    "shift+left": "\x1b[1;2D", "shift+right": "\x1b[1;2C", "ctrl+left": "\x1b[1;5D", "f1": "\x1bOP",
    "space": " ", "plus": "+", "minus": "-", "equals_sign": "=", "slash": "/", "colon": ":",
    "question_mark": "?", "comma": ",", "full_stop": ".",
}  # fmt: skip
"""What a terminal sends for keys that have names."""

_WORDS = (
    *(":help\r", ":edit\r", ":models\r", ":alerts\r", ":deck\r", ":model model-1\r", ":sort p95\r"),
    *("/sev<=2\r", "/[\r", ":ack 2h x\r", ":silence 1h y\r", ":note z\r", ":theme ", ":before\r"),
    *(
        "\x10\r\r",
        "\x10dec\r\r\r",
        "\x10\x1b\x1b",
        "??\x1b\x1b",
        "2\rx\x1b\x1b",
        "3\rA\r\r",
        "SS-2h\r\r",
    ),
)
"""What people type, with keys that come twice, faster than a screen opens or closes."""

_BROKEN = (
    *("\x1b[", "\x1b[<", "\x1b[<0;1", "\x1b[200~", "\x1b[201~", "\x1bO", "\x1b]11;rgb:0/0/0\x07"),
    *(
        "\x1b[?1;2c",
        "\x1b[I",
        "\x1b[O",
        "\x1b[27u",
        "\x1b[57399;5u",
        "\x1b[8;30;100t",
        "\x1b[999999A",
    ),
    *("\x1b[?2026;2$y", "\x1bP1$r0m\x1b\\", "\x9b", "\x00", "\xff", "\u202e", "模", "\x1b\x1b\x1b"),
)
"""Sequences that are cut, answers to no question, and bytes that are no text."""


def _key_text(key: str) -> str:
    """What a terminal sends for a key as the table of keys names it; empty for others."""
    if key in _NAMED:
        return _NAMED[key]
    if key.startswith("ctrl+") and len(key) == len("ctrl+a"):
        return chr(ord(key[-1]) & 0x1F)
    return key if len(key) == 1 else ""


BOUND = tuple(
    text
    for binding in KEYS
    for key in binding.keys.split(",")
    if key not in _LEFT_OUT and (text := _key_text(key))
)
"""What a terminal sends for the keys of the console."""


def _bound(chance: random.Random) -> str:
    return chance.choice(BOUND) * chance.choice((1, 1, 2, 3))


def _words(chance: random.Random) -> str:
    return chance.choice(_WORDS)


def _enter(chance: random.Random) -> str:
    return "\r" * chance.randint(1, 3)


def _mouse(chance: random.Random) -> str:
    button = chance.choice((0, 1, 2, 32, 35, 64, 65, 999))
    x, y = chance.randint(0, 130), chance.randint(0, 50)
    return f"\x1b[<{button};{x};{y}M\x1b[<{button};{x};{y}m"


def _paste(chance: random.Random) -> str:
    text = "".join(chance.choices((*_BROKEN, *BOUND, "text"), k=5))
    return f"\x1b[200~{text}\x1b[201~"


def _broken(chance: random.Random) -> str:
    """A sequence that is cut, a key, and the end of what it may have begun."""
    return f"{chance.choice(_BROKEN)}{chance.choice(BOUND)}\x1b\\\x1b[201~"


def _noise(chance: random.Random) -> str:
    return "".join(chr(chance.randrange(1, 128)) for _ in range(chance.randint(1, 6)))


def keys(seed: int, size: int = SIZE) -> bytes:
    """So many bytes of keys, the same for the same seed; none ends or stops the console."""
    chance = random.Random(seed)
    makers = (
        _bound,
        _bound,
        _bound,
        _bound,
        _words,
        _words,
        _enter,
        _broken,
        _mouse,
        _paste,
        _noise,
    )
    found = b""
    while len(found) < size:
        found += chance.choice(makers)(chance).encode("utf-8", "surrogatepass")
    for key in (b"Q", b"\x1a"):
        found = found.replace(key, b"")
    return found[:size]


def _lived(folder: Path) -> StoreDirectory:
    directory = StoreDirectory(folder / "store")
    prepare(directory)
    names = [f"model-{number}" for number in range(_MODELS)]
    write(directory, names, [scrape(name, boards.NOW) for name in names])
    with closing(open_writable(directory.state)) as db:
        for name in names:
            fire(db, model=name)
    return directory


def main(seed: int, folder: Path) -> int:
    directory = _lived(folder)
    config = folder / "watchdeck.toml"
    config.write_text('[[endpoint]]\nname = "a"\nurl = "http://h"\nevry = 1\n')
    os.environ |= {"EDITOR": "true", "PAGER": "true"}
    presence = ConsolePresence(PresenceFile(directory), "anna", boards.NOW)
    services = Services(presence, config, Actor(directory, Operator("anna")))

    def open_source() -> BoardSource:
        return hostile.Source(seed, _MODELS) if seed % 2 else Reader(directory)

    return drive(Console(directory, clock=boards.clock, open_source=open_source, services=services))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2])))
