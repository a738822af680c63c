"""What a model's server last answered, word for word."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.reactive import reactive

from watchdeck.console.input.keys import Where, bindings
from watchdeck.console.lines.line import Line, cut
from watchdeck.console.lines.panel_header import Freshness, headed
from watchdeck.console.models.responses_lines import as_text, exchanges
from watchdeck.console.state.messages import PagerWanted
from watchdeck.console.state.view_state import Outlook, Setting
from watchdeck.console.widgets.base_screen import Watching
from watchdeck.console.widgets.panel import Panel
from watchdeck.domain.metrics.scrape import Exchange


class ExchangePanel(Panel, can_focus=True):
    """Every question and its answer; `top` is the first line in view."""

    top: reactive[int] = reactive(0, repaint=False)

    def __init__(self, about: str, found: tuple[Exchange, ...], problem: str) -> None:
        super().__init__(id="exchange")
        self._about = about
        self._found = found
        self._problem = problem
        self._count = 0

    def draw(self, setting: Setting, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """The rule, and the lines from `top` on."""
        newest = max((one.at for one in self._found), default=None)
        fresh = Freshness(newest, self.now, self._problem or self.stale)
        lines = exchanges(self._found, self.now, cells)
        self._count = len(lines)
        shown = lines[self.top : self.top + rows - 1]
        return headed(f"answers of {cut(self._about, 40)}", (), fresh, shown, cells)

    def scroll(self, by: int) -> None:
        """Move the lines, as far as there are any."""
        self.top = max(0, min(self.top + by, self._count - self.size.height + 1))
        self.redraw()


class ExchangeScreen(Watching, inherit_bindings=False):
    """The answers as they were when the screen was opened."""

    WHERE = Where.EXCHANGE
    BINDINGS = bindings(Where.EXCHANGE)

    def __init__(
        self, outlook: Outlook, area: str, name: str, found: tuple[Exchange, ...], problem: str = ""
    ) -> None:
        self._about = name
        self._found = found
        self._panel = ExchangePanel(name, found, problem)
        super().__init__(outlook, area)

    def panels(self) -> ComposeResult:
        """One panel."""
        yield self._panel.data_bind(Watching.now, Watching.stale, Watching.setting)

    @property
    def subject(self) -> str:
        """The model that answered."""
        return self._about

    @property
    def view(self) -> str:
        """The model's name."""
        return self._about

    def action_pager(self) -> None:
        """Read all of it in a pager of one's own: clean, as everything that is shown."""
        self.post_message(PagerWanted(as_text(self._found, self.now)))

    def action_scroll(self, by: int) -> None:
        """Lines up or down."""
        self._panel.scroll(by)

    def action_page(self, by: int) -> None:
        """Pages up or down."""
        self._panel.scroll(by * max(1, self._panel.size.height - 2))

    def action_back(self) -> None:
        """Back to the model."""
        self.dismiss()
