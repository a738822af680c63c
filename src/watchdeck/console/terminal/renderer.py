"""The screen as it should be and as the terminal shows it; what differs is sent when it can be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from watchdeck.console.terminal.ansi import AnsiWriter
from watchdeck.console.terminal.capabilities import TerminalCapabilities
from watchdeck.console.terminal.cell_style import StyleCache
from watchdeck.console.terminal.cells import CellBuilder, ScreenBuffer
from watchdeck.console.terminal.row_diff import RowDiff, difference
from watchdeck.console.terminal.scroll import find_scroll
from watchdeck.console.terminal.textual_update import Update
from watchdeck.console.terminal.write_order import write_changes

FRAME = 16_384
"""Cells after which a frame ends; the rest of a vast screen comes with the next one."""

_SYNC = ("\x1b[?2026h", "\x1b[?2026l")
_SYNC_FROM = 1_024
"""Characters from which on a frame is announced, where the terminal can hold its picture."""


class FrameSink(Protocol):
    """What frames go through."""

    def is_free(self) -> bool:
        """Whether a frame would go out now."""
        ...

    def skipped(self) -> None:
        """A frame was not made because the last one is still on its way."""
        ...

    def send(self, frame: bytes) -> None:
        """Send a frame."""
        ...


class DiffRenderer:
    """Takes every update, sends the newest state: a slow link skips what was in between."""

    def __init__(self, means: TerminalCapabilities, wire: FrameSink) -> None:
        self.wire = wire
        self.synchronised = False
        self._means = means
        self._painter = CellBuilder(StyleCache(means.depth), means.charset)
        self._pen = AnsiWriter(0, fills=means.fills)
        self._wanted = ScreenBuffer()
        self._shown = ScreenBuffer()
        self._changed: set[int] = set()
        self._clear = True

    @property
    def means(self) -> TerminalCapabilities:
        """What the terminal can do, as far as it is used."""
        return self._means

    @property
    def size(self) -> tuple[int, int]:
        """Cells across and rows down of the screen that it should show."""
        return self._wanted.size

    def take(self, update: Update) -> None:
        """Something changed: it is sent now, or with whatever else changes until it can be."""
        if update.size is not None and update.size != self._wanted.size:
            self._wanted = ScreenBuffer.empty(*update.size)
            self.forget()
        rows = self._wanted.rows
        for x, y, strip in update.pieces:
            if 0 <= y < len(rows) and 0 <= x < self._wanted.width:
                rows[y].put(x, self._painter.cells(strip, strip.cell_length))
                self._changed.add(y)
        self.flush()

    def forget(self) -> None:
        """Nothing is known of what the terminal shows: the next frame clears it and draws all."""
        self._clear = True
        self._shown = ScreenBuffer.empty(*self._wanted.size)
        self._changed = set(range(len(self._wanted.rows)))

    def flush(self) -> None:
        """Send what differs, as far as the link takes it."""
        while self._changed:
            if not self.wire.is_free():
                self.wire.skipped()
                return
            frame = self._frame()
            if frame:
                self.wire.send(frame.encode(self._means.charset, "replace"))

    def _frame(self) -> str:
        if self._clear:
            self._clear = False
            self._pen.clear(self._wanted.width)
        changes = [*self._changes()]
        self._pen = self._shortest(changes)
        for change in changes:
            self._changed.discard(change.y)
            self._shown.rows[change.y] = change.wanted.copy()
        frame = self._pen.take()
        if self.synchronised and len(frame) > _SYNC_FROM:
            return frame.join(_SYNC)
        return frame

    def _changes(self) -> Iterator[RowDiff]:
        """Rows to write, up to a frame of them."""
        cells = 0
        for y in sorted(self._changed):
            change = difference(y, self._shown.rows[y], self._wanted.rows[y])
            if change is None:
                self._changed.remove(y)
                continue
            yield change
            cells += sum(stop - start for start, stop in change.stretches)
            if cells >= FRAME:
                return

    def _shortest(self, changes: Sequence[RowDiff]) -> AnsiWriter:
        """The pen that has written the changes, with rows that only moved written or shifted."""
        written = write_changes(self._pen, changes)
        shown, wanted = self._shown.rows, self._wanted.rows
        shift = find_scroll(shown, changes) if len(changes) == len(self._changed) else None
        if shift is None:
            return written
        after = shift.of(shown)
        pen = self._pen.like()
        pen.shift(*shift)
        left = [difference(y, *rows) for y, rows in enumerate(zip(after, wanted, strict=True))]
        shifted = write_changes(pen, [change for change in left if change])
        if shifted.length >= written.length:
            return written
        self._shown.rows = [row.copy() for row in wanted]
        return shifted
