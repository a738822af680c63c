"""Keys in any number, order and haste never end the console, and act once."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from console import typed_at_random
from console.pty_console import Terminal
from watchdeck.store.files.connection import open_readonly

SEEDS = 10
"""Seeds of one console; one that ends is a failure, unless the palette left it."""

PIECE = 200
"""Bytes that are typed at once."""


@contextmanager
def typing(seed: int, folder: Path) -> Iterator[Terminal]:
    """A console that shows its first boards."""
    folder.mkdir(parents=True)
    terminal = Terminal(typed_at_random.__file__, str(seed), str(folder), cells=120, rows=40)
    try:
        terminal.wait_for(b"collector")
        yield terminal
    finally:
        terminal.close()


def draws(terminal: Terminal, cells: int) -> bool:
    """Whether the console draws itself on a terminal of another size."""
    terminal.quiet(0.2)
    terminal.output = b""
    terminal.resize(cells, 40)
    terminal.wait_for(b"\x1b[")
    return len(terminal.quiet(0.2)) + len(terminal.output) > 200


def leave(terminal: Terminal) -> int:
    """Close whatever is open, and leave; the exit code."""
    for _ in range(8):
        terminal.type(b"\x1b")
        terminal.quiet(0.15)  # else Escape is half a sequence
    terminal.type(b"Q")
    return terminal.ended()


@pytest.mark.long
@pytest.mark.parametrize("console", range(10))
def test_random_keys_never_end_the_console(console: int, tmp_path: Path) -> None:
    seeds = list(range(console * SEEDS, (console + 1) * SEEDS))
    while seeds:
        with typing(console, tmp_path / str(seeds[0])) as terminal:
            while seeds and not _has_ended(terminal, seeds.pop(0)):
                pass


def _has_ended(terminal: Terminal, seed: int) -> bool:
    """Type the keys of a seed; whether the console was left, as the palette can do."""
    keys = typed_at_random.keys(seed)
    try:
        for at in range(0, len(keys), PIECE):
            terminal.type(keys[at : at + PIECE])
            terminal.quiet(0.05)
        is_there = draws(terminal, 120 + seed % 2)
    except (OSError, AssertionError):
        is_there = False
    if is_there:
        return False
    code, _, why = terminal.ended(), *terminal.output.rpartition(b"Traceback")[1:]
    assert code == 0, f"seed {seed}: {why.decode(errors='replace')}"
    return True


@pytest.mark.long
@pytest.mark.parametrize("shown", [0, 1], ids=["its store", "hostile boards"])
def test_keys_that_come_twice_in_one_read_end_nothing(shown: int, tmp_path: Path) -> None:
    with typing(shown, tmp_path / "console") as terminal:
        for number, (opening, keys) in enumerate(TWICE):
            terminal.type(opening)
            terminal.quiet(0.1)
            terminal.type(keys)
            assert draws(terminal, 120 + number % 2), (opening, keys)
        assert leave(terminal) == 0


TWICE = (
    (b"\x10", b"\r\r"),
    (b"\x10", b"dec\r\r\r"),
    (b"\x10", b"\x1b\x1b\x1b"),
    (b"\x10\x10", b"\r\r"),
    (b"?", b"\x1b[27u\x1b[27u\x1b\x1b"),
    (b"2\r", b"x\x1b[27u\x1b[27u\x1b[27u"),
    (b"3A", b"\r\r\r"),
    (b"3s", b"1h\r\r\r"),
    (b"3R", b"abc\r\r\r"),
    (b":", b"help\r\r\r"),
    (b":", b"edit\r\r\r"),
    (b"2\rb", b"\r\r\x1b\x1b"),
    (b"S", b"-2h\r\r\r"),
    (b"/", b"model\r\r\r"),
    (b":/:/:", b"\x1b[27u\x1b[27u"),
)
"""Keys that open something, and those that come with the one that closes it."""


@pytest.mark.parametrize(
    ("keys", "action"),
    [
        pytest.param(b"n", "note.added", id="a note"),
        pytest.param(b"s", "silence", id="a silence"),
    ],
)
def test_a_text_is_submitted_once_however_often_enter_came(
    keys: bytes, action: str, tmp_path: Path
) -> None:
    with typing(0, tmp_path / "console") as terminal:
        for typed in (b"3", keys, b"1h looked at it\r\r\r"):
            terminal.type(typed)
            terminal.quiet(0.5)
        assert leave(terminal) == 0
    with closing(open_readonly(tmp_path / "console" / "store" / "state.db")) as db:
        rows = db.execute(
            "select subject, count(*) from audit where action like ? group by 1", (f"{action}%",)
        ).fetchall()
    assert rows
    assert all(count == 1 for _, count in rows), [tuple(row) for row in rows]
