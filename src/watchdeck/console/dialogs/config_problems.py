"""Every problem of a configuration that was edited."""

from __future__ import annotations

from textual.app import ComposeResult

from watchdeck.config.reading.problems import Problem
from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.lines.line import Line, Role, Span, untrusted_text, wrap
from watchdeck.console.lines.panel_header import header_line
from watchdeck.console.lines.table import Column, Columns, Table
from watchdeck.console.state.messages import EditRequested
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.console.widgets.list import List

_COLUMNS: Columns[Problem] = (
    Column(
        "key",
        "where",
        12,
        lambda one, _now: untrusted_text(one.key or "the file", Role.STRONG),
        most=40,
    ),
    Column(
        "problem",
        "problem",
        24,
        lambda one, _now: untrusted_text(one.text, Role.WARNING),
        most=90,
    ),
    Column(
        "hint", "what would work", 16, lambda one, _now: untrusted_text(one.hint), most=60, rank=1
    ),
)


_LINES = 3


class ProblemList(List):
    """One row a problem; over them the one under the cursor in full."""

    def __init__(self, found: tuple[Problem, ...]) -> None:
        super().__init__(id="problems")
        self.table = Table(_COLUMNS, found, tuple(str(number) for number in range(len(found))))

    def ages(self, state: ViewState) -> tuple[object, ...]:  # noqa: ARG002 - no data is shown
        """Problems have no age."""
        return ()

    def lead(self, state: ViewState) -> tuple[Line, ...]:  # noqa: ARG002 - problems stay
        """The problem under the cursor, in full where there is room."""
        rows = self.table.rows
        words = str(rows[min(self.place.index, len(rows) - 1)])
        lines = tuple(
            Line((Span(" "), *one.spans)) for one in wrap(words, self.size.width - 1, most=_LINES)
        )
        return (*lines, *[Line()] * (_LINES - len(lines)))

    def heading(
        self,
        state: ViewState,  # noqa: ARG002 - problems have no age
        more: tuple[Span, ...],
        body: tuple[Line, ...],
        cells: int,
    ) -> tuple[Line, ...]:
        """How many there are."""
        return (header_line("problems of the configuration", more, None, cells), *body)


class ProblemsScreen(BaseScreen, inherit_bindings=False):
    """The screen of configuration problems, found when the editor was closed."""

    WHERE = KeyScope.PROBLEMS
    BINDINGS = bindings(KeyScope.PROBLEMS)

    def __init__(self, state: ViewState, area: str, found: tuple[Problem, ...]) -> None:
        self._found = found
        super().__init__(state, area)

    def panels(self) -> ComposeResult:
        """The list has the whole screen."""
        yield ProblemList(self._found).data_bind(BaseScreen.view_state)

    def action_edit(self) -> None:
        """Edit the file again."""
        self.dismiss()
        self.app.post_message(EditRequested())
