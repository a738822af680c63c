"""The screen with all problems of an edited configuration."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.geometry import Size

from watchdeck.config.reading.problems import Problem
from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.lines.line import Line, Role, Span, untrusted_text, wrap
from watchdeck.console.lines.table import Column, Columns, Table
from watchdeck.console.state.messages import EditRequested
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.console.widgets.list import List, ListHeader, ListRows

_COLUMNS: Columns[Problem] = (
    Column(
        "key",
        "where",
        12,
        lambda one, _now: untrusted_text(one.key or "the file", Role.STRONG),
        most=40,
    ),
    Column(
        "problem", "problem", 24, lambda one, _now: untrusted_text(one.text, Role.WARNING), most=90
    ),
    Column(
        "hint", "what would work", 16, lambda one, _now: untrusted_text(one.hint), most=60, rank=1
    ),
)


_LINES = 3


class ProblemRows(ListRows[Problem]):
    """The problems of the configuration file, one row for each.

    Above the rows stands the problem under the cursor in full.
    """

    name = "problems"

    def __init__(self, found: tuple[Problem, ...]) -> None:
        super().__init__()
        self._found = found

    def ages(self, _state: ViewState) -> tuple[object, ...]:
        """Nothing: problems show no ages, so the list is not redrawn when time passes."""
        return ()

    def build(self, _state: ViewState, _cells: int) -> Table[Problem]:
        """One row for each problem."""
        return Table(_COLUMNS, self._found, tuple(map(str, range(len(self._found)))))

    def lead(self, _state: ViewState, row: Problem | None, size: Size) -> tuple[Line, ...]:
        """The problem under the cursor in full, always 3 lines; a longer text is cut."""
        words = str(row) if row else ""
        lines = tuple(
            Line((Span(" "), *one.spans)) for one in wrap(words, size.width - 1, most=_LINES)
        )
        return (*lines, *[Line()] * (_LINES - len(lines)))

    def header(self, _state: ViewState, shown: Span, _cells: int) -> ListHeader:
        """The header, with the number of problems."""
        return ListHeader("problems of the configuration", (shown,))


class ProblemsScreen(BaseScreen, inherit_bindings=False):
    """The screen of problems in the configuration file that was just edited."""

    WHERE = KeyScope.PROBLEMS
    BINDINGS = bindings(KeyScope.PROBLEMS)

    def __init__(self, state: ViewState, area: str, found: tuple[Problem, ...]) -> None:
        self._found = found
        super().__init__(state, area)

    def panels(self) -> ComposeResult:
        """The list of problems on the whole screen."""
        yield List(ProblemRows(self._found)).data_bind(BaseScreen.view_state)

    def action_edit(self) -> None:
        """Close this screen, and edit the file again."""
        if self.leave():
            self.app.post_message(EditRequested())
