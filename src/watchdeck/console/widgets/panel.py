"""What every panel is: slices of the view state in, lines out; only changed lines are redrawn."""

from __future__ import annotations

from textual.geometry import Region
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from watchdeck.console.lines.line import Line, Role, Span
from watchdeck.console.state.view_state import ViewSettings, ViewState


class Panel(Widget):
    """Shows lines. A panel draws when what it shows of the view state changed."""

    view_state: reactive[ViewState | None] = reactive[ViewState | None](None, repaint=False)
    letter: reactive[str] = reactive("", repaint=False)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._lines: tuple[Line, ...] = ()
        self._is_due = False
        self._slices: tuple[object, ...] | None = None
        self._ages: tuple[object, ...] = ()
        self._settings: ViewSettings | None = None

    def slices(self, state: ViewState) -> tuple[object, ...]:  # noqa: ARG002 - none is usual
        """What the panel is made from: it is rebuilt when one of these differs."""
        return ()

    def ages(self, state: ViewState) -> tuple[object, ...]:
        """What matters to the drawing alone: the lines are drawn again when one differs."""
        return (state.now, state.stale)

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """The panel as lines: at most `rows` lines of at most `cells` cells; empty by default."""
        return ()

    def watch_view_state(self, state: ViewState | None) -> None:
        """Rebuild or redraw what changed; other settings change every cell."""
        if state is None:
            return
        slices, ages = self.slices(state), self.ages(state)
        has_other_settings = state.settings is not self._settings
        if has_other_settings:
            self._settings = state.settings
            self._lines = ()
            self.refresh()
        if has_other_settings or slices != self._slices:
            self._slices, self._ages = slices, ages
            self.rebuild()
        elif ages != self._ages:
            self._ages = ages
            self.redraw()

    def rebuild(self) -> None:
        """Build the content again from the view state, and redraw; by default only redraw."""
        self.redraw()

    def redraw(self) -> None:
        """Draw soon; however often this is asked before, it is done once."""
        if not self._is_due and self.is_mounted:
            self._is_due = True
            self.call_next(self.redraw_now)

    def redraw_now(self) -> None:
        """Draw, and send on the rows that differ from what is shown."""
        self._is_due = False
        cells, rows = self.size
        if self.view_state is None or not cells or not rows:
            return
        drawn = _with_letter(self.draw(self.view_state, cells, rows)[:rows], self.letter)
        before, self._lines = self._lines, drawn
        changed = [Region(0, y, cells, 1) for y in range(rows) if _row(before, y) != _row(drawn, y)]
        if changed:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        """One row, for Textual."""
        if self._settings is None:
            return Strip.blank(self.size.width)
        return self._settings.styles.strip(_row(self._lines, y), self.size.width)

    def on_resize(self) -> None:
        """Draw all lines again at once, because each depends on the width."""
        self.redraw_now()

    def watch_letter(self) -> None:
        """Redraw: Textual calls this when `letter` has changed."""
        self.redraw()


def _with_letter(lines: tuple[Line, ...], letter: str) -> tuple[Line, ...]:
    """The lines, with a letter at the beginning of their rule."""
    if not letter or not lines:
        return lines
    first, *rest = lines[0].spans
    mark = Span(f"[{letter}]", Role.WARNING)
    return (Line((mark, Span(first.text[3:], first.role), *rest), lines[0].background), *lines[1:])


def _row(lines: tuple[Line, ...], y: int) -> Line:
    return lines[y] if y < len(lines) else Line()
