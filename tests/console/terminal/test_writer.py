"""The link, over a real pseudo terminal that reads when it likes."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import select
import tty
from collections.abc import Iterator
from contextlib import suppress

import pytest
from rich.segment import Segment
from textual.strip import Strip

from console.terminal.emulator import Emulator
from watchdeck.console.terminal.capabilities import TerminalCapabilities
from watchdeck.console.terminal.renderer import DiffRenderer
from watchdeck.console.terminal.textual_update import ScreenUpdate, StripUpdate
from watchdeck.console.terminal.traffic import IN_FLIGHT_LIMIT, STATUS_REQUEST
from watchdeck.console.terminal.writer import TerminalWriter, reopen

CELLS, ROWS = 80, 24

ENOUGH = 64_000
"""More than any pseudo terminal holds."""


class Far:
    """The far end of a link: what came, when somebody reads."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.came = b""
        self.screen = Emulator(CELLS, ROWS)

    def read(self) -> bytes:
        """All that is there now."""
        found = b""
        while select.select([self.master], [], [], 0)[0]:
            found += os.read(self.master, 65_536)
        self.came += found
        self.screen.feed(found.replace(STATUS_REQUEST.encode(), b""))
        return found

    async def shows(self, text: str) -> Emulator:
        """Read as a terminal does until the last row begins with this; fails after a while."""
        async with asyncio.timeout(10):
            while not "".join(cell.glyph for cell in self.screen.cells()[-1]).startswith(text):
                self.read()
                await asyncio.sleep(0)
        return self.screen

    def close(self) -> None:
        for descriptor in (self.master, self.slave):
            with suppress(OSError):
                os.close(descriptor)


@pytest.fixture
def far() -> Iterator[Far]:
    made = Far()
    yield made
    made.close()


def linked(far: Far) -> TerminalWriter:
    descriptor = reopen(far.slave)
    assert descriptor is not None
    return TerminalWriter(descriptor, asyncio.get_running_loop())


def picture(text: str) -> ScreenUpdate:
    """A whole screen of one text; it takes some kilobytes."""
    row = Strip([Segment((text * CELLS)[:CELLS])], CELLS)
    return ScreenUpdate([StripUpdate(0, y, row) for y in range(ROWS)], (CELLS, ROWS))


async def test_the_descriptor_of_the_shell_is_left_as_it_was(far: Far) -> None:
    link = linked(far)
    assert not fcntl.fcntl(far.slave, fcntl.F_GETFL) & os.O_NONBLOCK
    link.close()


def test_what_is_no_terminal_is_not_opened() -> None:
    reader, writer = os.pipe()
    try:
        assert reopen(writer) is None
    finally:
        os.close(reader)
        os.close(writer)


async def test_bytes_arrive_in_order(far: Far) -> None:
    link = linked(far)
    link.write(b"one ")
    link.send(b"two ")
    link.write(b"three")
    assert far.read() == b"one two " + STATUS_REQUEST.encode() + b"three"
    link.close()


async def test_a_reader_that_stops_blocks_nobody_and_then_sees_the_newest(far: Far) -> None:
    link = linked(far)
    canvas = DiffRenderer(TerminalCapabilities(), link)
    link.on_free = canvas.flush
    for number in range(200):
        canvas.apply(picture(f"frame {number:03} "))
        await asyncio.sleep(0)
    traffic = link.traffic()
    assert traffic.held
    assert traffic.skipped > 100
    screen = await far.shows("frame 199")
    assert len(far.came) < 25_000
    assert all("frame 199" in "".join(cell.glyph for cell in row) for row in screen.cells())
    link.close()


async def test_a_terminal_that_answers_gets_no_more_than_a_window(far: Far) -> None:
    link = linked(far)
    canvas = DiffRenderer(TerminalCapabilities(), link)
    link.on_free = canvas.flush
    canvas.apply(picture("first "))
    link.receive_response()
    assert link.traffic().lag is not None
    for number in range(9):
        canvas.apply(picture(f"later {number} "))
    assert len(far.read()) < 3 * 2_000 + IN_FLIGHT_LIMIT
    link.receive_response()
    await far.shows("later 8")
    link.close()


async def test_what_nobody_reads_does_not_pile_up(far: Far) -> None:
    link = linked(far)
    for _ in range(100):
        link.write(b"x" * ENOUGH)
    assert link.traffic().dropped > 0
    assert len(link._unsent) <= 262_144
    link.close()


async def test_leaving_a_stalled_terminal_throws_the_picture_away_and_says_goodbye(
    far: Far,
) -> None:
    link = linked(far)
    link.write(b"x" * ENOUGH)
    assert not link.drain(0.01)
    link.discard()
    link.write(b"goodbye")
    assert link.drain(0.01)
    assert far.read().endswith(b"goodbye")
    link.close()


async def test_a_drained_link_has_sent_all(far: Far) -> None:
    link = linked(far)
    link.write(b"x")
    assert link.drain(1.0)
    link.close()


async def test_a_terminal_that_goes_away_is_said_once_and_nothing_raises(far: Far) -> None:
    link = linked(far)
    said: list[str] = []
    link.on_lost = lambda: said.append("lost")
    os.close(far.master)
    link.write(b"x")
    link.write(b"y")
    link.send(b"z")
    await asyncio.sleep(0)
    assert said == ["lost"]
    assert not link.is_free()
    assert link.drain(1.0)
    link.close()


async def test_a_stalled_terminal_that_goes_away_is_noticed(far: Far) -> None:
    link = linked(far)
    lost = asyncio.Event()
    link.on_lost = lost.set
    link.write(b"x" * ENOUGH)
    os.close(far.master)
    await asyncio.wait_for(lost.wait(), 10)
    link.close()


async def test_a_lost_answer_is_not_waited_for_for_ever(far: Far) -> None:
    link = linked(far)
    freed = asyncio.Event()
    link.on_free = freed.set
    link.send(b"x")
    link.receive_response()
    link._flow._timeout = 0.01
    link.send(b"x" * (IN_FLIGHT_LIMIT + 1))
    assert not link.is_free()
    await asyncio.wait_for(freed.wait(), 10)
    link.close()


def test_a_closed_descriptor_is_no_terminal(far: Far) -> None:
    os.close(far.slave)
    assert reopen(far.slave) is None
