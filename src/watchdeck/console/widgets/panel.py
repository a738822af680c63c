"""What every panel is: slices in, lines out, and only the lines that changed sent on."""

from __future__ import annotations

from textual.geometry import Region
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from watchdeck.console.lines.line import Line, Role, Span
from watchdeck.console.state.view_state import ViewSettings


class Panel(Widget):
    """Shows lines. A panel draws when a slice of its own changed, once for all that changed."""

    now: reactive[int] = reactive(0, repaint=False)
    stale: reactive[str] = reactive("", repaint=False)
    setting: reactive[ViewSettings | None] = reactive[ViewSettings | None](None, repaint=False)
    letter: reactive[str] = reactive("", repaint=False)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._lines: tuple[Line, ...] = ()
        self._due = False

    def draw(self, setting: ViewSettings, cells: int, rows: int) -> tuple[Line, ...]:
        """The panel as lines, at most `rows` of at most so many cells."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw soon; however often this is asked before, it is done once."""
        if not self._due and self.is_mounted:
            self._due = True
            self.call_next(self.redraw_now)

    def redraw_now(self) -> None:
        """Draw, and send on the rows that differ from what is shown."""
        self._due = False
        cells, rows = self.size
        if self.setting is None or not cells or not rows:
            return
        drawn = lettered(self.draw(self.setting, cells, rows)[:rows], self.letter)
        before, self._lines = self._lines, drawn
        changed = [Region(0, y, cells, 1) for y in range(rows) if _row(before, y) != self._row(y)]
        if changed:
            self.refresh(*changed)

    def _row(self, y: int) -> Line:
        return _row(self._lines, y)

    def render_line(self, y: int) -> Strip:
        """One row, for Textual."""
        if self.setting is None:
            return Strip.blank(self.size.width)
        return self.setting.brush.strip(self._row(y), self.size.width)

    def on_resize(self) -> None:
        """Every line depends on the width."""
        self.redraw_now()

    def watch_letter(self) -> None:
        """A letter goes here, or no longer does."""
        self.redraw()

    def watch_now(self) -> None:
        """Ages moved on."""
        self.redraw()

    def watch_stale(self) -> None:
        """The data became doubtful, or fresh again."""
        self.redraw()

    def watch_setting(self) -> None:
        """Colours or shapes changed: every cell with them."""
        self._lines = ()
        self.refresh()
        self.redraw()


def lettered(lines: tuple[Line, ...], letter: str) -> tuple[Line, ...]:
    """The lines, with a letter at the beginning of their rule."""
    if not letter or not lines:
        return lines
    first, *rest = lines[0].spans
    mark = Span(f"[{letter}]", Role.WARNING)
    return (Line((mark, Span(first.text[3:], first.role), *rest), lines[0].ground), *lines[1:])


def _row(lines: tuple[Line, ...], y: int) -> Line:
    return lines[y] if y < len(lines) else Line()
