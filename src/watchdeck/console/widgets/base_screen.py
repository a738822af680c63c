"""The base class of screens: a frame, panels that show the view state, and a prompt."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct
from textual import events, on
from textual.app import ComposeResult
from textual.reactive import reactive
from textual.screen import Screen

from watchdeck.console.input.keys import KeyScope
from watchdeck.console.state.messages import QueryRequested
from watchdeck.console.state.queries import Answer, Found, Query, run_query
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.theme.layouts import LAYOUTS
from watchdeck.console.widgets.chrome import Banner, Footer, TooSmall, TopBar
from watchdeck.console.widgets.list import List
from watchdeck.console.widgets.prompt import Prompt
from watchdeck.console.widgets.zoom import PanelZoom

STEP = 60_000
"""Default length of a step through time, in milliseconds."""


class ChosenAlerts(Struct, frozen=True):
    """Ids of the episodes chosen on a screen: the open ones, and all of them, open or ended."""

    open: tuple[int, ...] = ()
    all: tuple[int, ...] = ()


class BaseScreen(Screen[None], inherit_bindings=False):
    """A screen that shows the view state; it is not updated while another screen is in view.

    `area` is the mode that the screen belongs to: a model opened from the deck is in `deck`.
    """

    WHERE: ClassVar[KeyScope]

    view_state: reactive[ViewState | None] = reactive[ViewState | None](
        None, repaint=False, always_update=True
    )

    def __init__(self, state: ViewState, area: str) -> None:
        super().__init__()
        self.state = state
        self.area = area
        self.zoom = PanelZoom(self)
        self.show(state)

    def show(self, state: ViewState) -> None:
        """Show a view state on all panels, which redraw only what differs."""
        if state.settings is not self.state.settings or self.view_state is None:
            for layout in LAYOUTS:
                self.set_class(layout.name == state.settings.view.layout, layout.style)
        self.state = self.view_state = state
        for prompt in self.query(Prompt):
            prompt.view_state = state

    @property
    def step(self) -> int:
        """Length (ms) of a step through time on this screen."""
        return STEP

    @property
    def subject(self) -> str:
        """The name of the model in focus; empty when there is none."""
        return next((rows.subject for rows in self.query(List)), "")

    @property
    def about(self) -> tuple[str, int]:
        """The model, or "", and the moment (ms UTC) before which changes are to be listed."""
        return "", self.state.now

    @property
    def pointed(self) -> int | None:
        """The past moment (ms UTC) that is shown, or under a chart's cursor; None when live."""
        board = self.state.board
        return None if board is None or board.live else board.at

    @property
    def view(self) -> str:
        """A short name of the view, for the top line and for other consoles on this store."""
        return self.area

    def choose_alerts(self, *, hold: bool = False) -> ChosenAlerts:  # noqa: ARG002 - none is usual
        """The episodes that the operator chose to act on; none by default.

        With `hold` a list's cursor stays on its alert when rows move.
        """
        return ChosenAlerts()

    def reload(self) -> None:
        """Read stored history again after a change marker was written; by default do nothing."""

    def ask(self, kind: str, query: Query[Found], then: Answer[Found]) -> None:
        """Run a query on a thread, then `then` with its result, unless this screen was closed.

        A newer query cancels one of the same `kind` that has not begun.
        """
        self.post_message(QueryRequested(self, kind, lambda source: run_query(query, then, source)))

    def compose(self) -> ComposeResult:
        """The top line, the banner, this screen's own panels, and the footer."""
        bound = BaseScreen.view_state
        trail = "" if self.view == self.area else self.view
        yield TopBar(self.area, trail).data_bind(bound)
        yield Banner(id="banner").data_bind(bound)
        yield from self.panels()
        yield Footer(self.WHERE).data_bind(bound)
        yield TooSmall(id="too-small").data_bind(bound)

    def panels(self) -> ComposeResult:
        """The panels of this screen, bound to its view state; none by default."""
        yield from ()

    def open_prompt(self, prompt: Prompt) -> None:
        """Show a prompt at the bottom of the screen, and close any other prompt."""
        for other in self.query(Prompt):
            other.close()
        prompt.focus_after = self.focused
        prompt.view_state = self.state
        self.mount(prompt)

    @on(Prompt.Requested)
    def _open_requested_prompt(self, request: Prompt.Requested) -> None:
        past = self.state.typed.setdefault(request.sign, [])
        self.open_prompt(Prompt(request.sign, request.owner, past, request.text))

    def on_key(self, event: events.Key) -> None:
        """Pass a key to `zoom`, where it chooses a panel while panels show letters."""
        self.zoom.on_key(event)

    def action_open(self) -> None:
        """Open what the row under the cursor is about, such as its model."""
        for rows in self.query(List):
            rows.open_row()

    def action_back(self) -> None:
        """Close this screen: the screen under it shows again, as it was left."""
        self.leave()

    def leave(self) -> bool:
        """Close this screen, and return whether it was open.

        A key that came twice in one read finds a screen that is closed already, or is none.
        """
        is_open = self.is_active and len(self.app.screen_stack) > 1
        if is_open:
            self.dismiss()
        return is_open
