"""The base of every screen: a frame, panels that show the view state, and a prompt if asked."""

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
"""A step through time, in milliseconds."""


class ChosenAlerts(Struct, frozen=True):
    """Episodes that are chosen on a screen: those that are open, and all of them."""

    open: tuple[int, ...] = ()
    all: tuple[int, ...] = ()


class BaseScreen(Screen[None], inherit_bindings=False):
    """A screen that shows the view state; it rests while another screen is in view.

    `area` is the mode it belongs to: a model opened from the deck is still part of the deck.
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
        """Show this view state: the panels redraw what differs."""
        if state.settings is not self.state.settings or self.view_state is None:
            for layout in LAYOUTS:
                self.set_class(layout.name == state.settings.view.layout, layout.style)
        self.state = self.view_state = state
        for prompt in self.query(Prompt):
            prompt.view_state = state

    @property
    def step(self) -> int:
        """How far (ms) a step through time goes on this screen."""
        return STEP

    @property
    def subject(self) -> str:
        """The model in focus; empty when there is none."""
        return next((rows.subject for rows in self.query(List)), "")

    @property
    def about(self) -> tuple[str, int]:
        """The model whose changes are asked for, or none, and before which moment (ms UTC)."""
        return "", self.state.now

    @property
    def pointed(self) -> int | None:
        """The moment of the past (ms UTC) that is shown, or pointed at; None when it is now."""
        board = self.state.board
        return None if board is None or board.live else board.at

    @property
    def view(self) -> str:
        """What is in view, in a word, for the other consoles on this store."""
        return self.area

    def choose_alerts(self, *, hold: bool = False) -> ChosenAlerts:  # noqa: ARG002 - none is usual
        """The alerts that an action is about; `hold` keeps the cursor on its row from now on."""
        return ChosenAlerts()

    def reload(self) -> None:
        """Read anew what was read of the past: something was written there."""

    def ask(self, kind: str, query: Query[Found], then: Answer[Found]) -> None:
        """Run a query on a thread; `then` is called with the result while this screen is there.

        Of one kind only the newest query is run.
        """
        self.post_message(QueryRequested(self, kind, lambda source: run_query(query, then, source)))

    def compose(self) -> ComposeResult:
        """The frame around the screen's own panels."""
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
        """Have a text typed at the bottom of the screen."""
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
        """While panels have letters, a key chooses one."""
        self.zoom.on_key(event)

    def action_open(self) -> None:
        """Open the row under the cursor."""
        for rows in self.query(List):
            rows.open_row()

    def action_back(self) -> None:
        """Back to the screen under this one, as it was left."""
        self.dismiss()
