"""Diff renderer: sends only the cells that differ from what the terminal shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from watchdeck.console.terminal.ansi import AnsiWriter
from watchdeck.console.terminal.capabilities import TerminalCapabilities
from watchdeck.console.terminal.cells import CellBuilder, ScreenBuffer, StyleCache
from watchdeck.console.terminal.diff import RowDiff, find_scroll, row_diff, write_changes
from watchdeck.console.terminal.textual_update import ScreenUpdate

FRAME_CELLS = 16_384
"""Changed cells after which a frame ends; the rest of a huge screen is sent in the next one."""

_SYNC = ("\x1b[?2026h", "\x1b[?2026l")
"""Begin and end of synchronized output: the terminal shows the frame at once."""
_SYNC_FROM = 1_024
"""Characters from which on a frame is sent as synchronized output."""


class FrameSink(Protocol):
    """Sends the frames of a renderer to a terminal."""

    def is_free(self) -> bool:
        """Whether a frame passed to `send` now would go out at once."""
        ...

    def count_skipped(self) -> None:
        """Count a frame that was not made because the last one is still in flight."""
        ...

    def send(self, frame: bytes) -> None:
        """Send the bytes of a frame to the terminal."""
        ...


class DiffRenderer:
    """Applies screen updates, and sends the cells that differ from what the terminal shows.

    A slow link gets only the newest state; older states are skipped.
    """

    def __init__(self, capabilities: TerminalCapabilities, sink: FrameSink) -> None:
        self.sink = sink
        self.capabilities = capabilities
        self.synchronised = False
        self._builder = CellBuilder(StyleCache(capabilities.depth), capabilities.charset)
        self._ansi = AnsiWriter(0, erases_in_colour=capabilities.erases_in_colour)
        self._wanted = ScreenBuffer()
        self._shown = ScreenBuffer()
        self._changed: set[int] = set()
        self._clear = True

    @property
    def size(self) -> tuple[int, int]:
        """Width in cells and height in rows of the screen to show."""
        return self._wanted.size

    def apply(self, update: ScreenUpdate) -> None:
        """Apply an update; it is sent now, or with later updates once the link is free."""
        if update.size is not None and update.size != self._wanted.size:
            self._wanted = ScreenBuffer.empty(*update.size)
            self.invalidate()
        rows = self._wanted.rows
        for x, y, strip in update.pieces:
            if 0 <= y < len(rows) and 0 <= x < self._wanted.width:
                rows[y].overwrite(x, self._builder.build_row(strip, strip.cell_length))
                self._changed.add(y)
        self.flush()

    def invalidate(self) -> None:
        """Forget what the terminal shows: the next frame clears it and draws every cell."""
        self._clear = True
        self._shown = ScreenBuffer.empty(*self._wanted.size)
        self._changed = set(range(len(self._wanted.rows)))

    def flush(self) -> None:
        """Send the changed cells, in one frame or several, while the link is free."""
        while self._changed:
            if not self.sink.is_free():
                self.sink.count_skipped()
                return
            frame = self._frame()
            if frame:
                self.sink.send(frame.encode(self.capabilities.charset, "replace"))

    def _frame(self) -> str:
        if self._clear:
            self._clear = False
            self._ansi.clear(self._wanted.width)
        changes = [*self._changes()]
        self._ansi = self._write_shortest(changes)
        for change in changes:
            self._changed.discard(change.y)
            self._shown.rows[change.y] = change.wanted.copy()
        frame = self._ansi.take_output()
        if self.synchronised and len(frame) > _SYNC_FROM:
            return frame.join(_SYNC)
        return frame

    def _changes(self) -> Iterator[RowDiff]:
        """The differences to send, at most about one frame of cells."""
        cells = 0
        for y in sorted(self._changed):
            change = row_diff(y, self._shown.rows[y], self._wanted.rows[y])
            if change is None:
                self._changed.remove(y)
                continue
            yield change
            cells += sum(stop - start for start, stop in change.ranges)
            if cells >= FRAME_CELLS:
                return

    def _write_shortest(self, changes: Sequence[RowDiff]) -> AnsiWriter:
        """Write the changes, with or without a scroll first; returns the shorter of the two."""
        written = write_changes(self._ansi, changes)
        shown, wanted = self._shown.rows, self._wanted.rows
        region = find_scroll(shown, changes) if len(changes) == len(self._changed) else None
        if region is None:
            return written
        after = region.apply(shown)
        ansi = self._ansi.fork()
        ansi.scroll(*region)
        rest = [row_diff(y, *rows) for y, rows in enumerate(zip(after, wanted, strict=True))]
        scrolled = write_changes(ansi, [change for change in rest if change])
        if scrolled.length >= written.length:
            return written
        self._shown.rows = [row.copy() for row in wanted]
        return scrolled
