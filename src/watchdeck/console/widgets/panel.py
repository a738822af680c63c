"""What every panel is: slices of the view state in, lines out; only changed lines are redrawn."""

from __future__ import annotations

from textual.geometry import Region
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from watchdeck.console.lines.line import Line, Role, Span
from watchdeck.console.state.view_state import ViewSettings, ViewState


class Panel(Widget):
    """Shows lines, which are drawn again when a part of the view state that they show changes."""

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
        """The parts of `state` that the content is built from: a change rebuilds the panel."""
        return ()

    def ages(self, state: ViewState) -> tuple[object, ...]:
        """The parts of `state` that only the drawing uses: a change redraws the panel."""
        return (state.now, state.stale)

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """The panel as lines: at most `rows` lines of at most `cells` cells; empty by default."""
        return ()

    def watch_view_state(self, state: ViewState | None) -> None:
        """Rebuild the panel if its `slices` changed, or redraw it if only its `ages` did.

        New settings rebuild it, and send every cell to the terminal again.
        """
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
        """Have the panel drawn soon; several calls before that cause one drawing."""
        if not self._is_due and self.is_mounted:
            self._is_due = True
            self.call_next(self.redraw_now)

    def redraw_now(self) -> None:
        """Draw the lines, and send only the rows that differ from those on screen."""
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
        """The row `y` of the drawn lines, as Textual needs it."""
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
