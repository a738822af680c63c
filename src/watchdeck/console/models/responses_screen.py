"""The screen with the last raw responses of a model's server."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.reactive import reactive

from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.lines.line import Line, cut
from watchdeck.console.lines.panel_header import DataAge, panel_lines
from watchdeck.console.models.responses_lines import response_lines, responses_text
from watchdeck.console.state.messages import PagerRequested
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.console.widgets.panel import Panel
from watchdeck.domain.metrics.scrape import ResponseRecord


class ResponsesPanel(Panel, can_focus=True):
    """The requests and raw responses; `top` is the index of the first line in view."""

    top: reactive[int] = reactive(0, repaint=False)

    def __init__(self, about: str, found: tuple[ResponseRecord, ...], problem: str) -> None:
        super().__init__(id="exchange")
        self._about = about
        self._found = found
        self._problem = problem
        self._count = 0

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:
        """A header, and the lines from `top` on."""
        newest = max((one.at for one in self._found), default=None)
        fresh = DataAge(newest, state.now, self._problem or state.stale)
        lines = response_lines(self._found, state.now, cells)
        self._count = len(lines)
        shown = lines[self.top : self.top + rows - 1]
        return panel_lines(f"answers of {cut(self._about, 40)}", (), fresh, shown, cells)

    def scroll(self, by: int) -> None:
        """Scroll down by `by` lines, up if negative; stop at the first and last line."""
        self.top = max(0, min(self.top + by, self._count - self.size.height + 1))
        self.redraw()


class ResponsesScreen(BaseScreen, inherit_bindings=False):
    """The screen of a model's last responses, not updated while it is open."""

    WHERE = KeyScope.EXCHANGE
    BINDINGS = bindings(KeyScope.EXCHANGE)

    def __init__(
        self,
        state: ViewState,
        area: str,
        name: str,
        found: tuple[ResponseRecord, ...],
        problem: str = "",
    ) -> None:
        self._about = name
        self._found = found
        self._panel = ResponsesPanel(name, found, problem)
        super().__init__(state, area)

    def panels(self) -> ComposeResult:
        """The panel of requests and responses."""
        yield self._panel.data_bind(BaseScreen.view_state)

    @property
    def subject(self) -> str:
        """The name of the model whose responses are shown."""
        return self._about

    @property
    def view(self) -> str:
        """The name of this view: the model's name."""
        return self._about

    def action_pager(self) -> None:
        """Open all responses in the operator's pager, sanitized as on the screen."""
        self.post_message(PagerRequested(responses_text(self._found, self.state.now)))

    def action_scroll(self, by: int) -> None:
        """Scroll down by `by` lines, up if negative."""
        self._panel.scroll(by)

    def action_page(self, by: int) -> None:
        """Scroll down by `by` pages, up if negative."""
        self._panel.scroll(by * max(1, self._panel.size.height - 2))
