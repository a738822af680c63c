"""Reading from the store besides boards: queries of screens, trends, other consoles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from msgspec.structs import replace
from textual.message_pump import MessagePump

from watchdeck.console.controllers.port import ConsolePort
from watchdeck.console.state.board_source import OpenSource
from watchdeck.console.state.messages import QueryRequested
from watchdeck.console.state.queries import (
    MAX_TREND_MODELS,
    TREND_STEP,
    Sparkline,
    read_kinds,
    read_trends,
)
from watchdeck.console.state.services import ConsolePresence
from watchdeck.domain.board.board import Board, Presence, sort_worst_first
from watchdeck.domain.kinds.kind import Kind


class QueryController:
    """Reads what screens ask for (histories, alerts, responses) from the store, on threads.

    `open_source` opens a reader of the store for one thread; without it nothing is read.
    """

    def __init__(self, port: ConsolePort, open_source: OpenSource | None) -> None:
        self._port = port
        self._open_source = open_source
        self._read: tuple[int, frozenset[str]] | None = None

    def answer(self, request: QueryRequested) -> None:
        """Run the query of a screen, and pass its result to that screen."""
        if self._open_source is not None:
            work = partial(_run, self._open_source, request)
            self._port.run_in_thread(work, partial(_deliver, request.asker), request.kind)

    def read_trends(self, board: Board | None) -> None:
        """Read the last hour of the worst models, for their sparklines.

        Do nothing when these models were already read in the current 5 min.
        """
        if self._open_source is None or board is None:
            return
        names = tuple(
            model.facts.name for model in sort_worst_first(board.models)[:MAX_TREND_MODELS]
        )
        wanted = (board.at // TREND_STEP, frozenset(names))
        if wanted != self._read:
            self._read = wanted
            work = partial(read_trends, self._open_source, names, board.at)
            self._port.run_in_thread(work, self._show_trends, "trends")

    def _show_trends(self, trends: Mapping[str, Sparkline]) -> None:
        self._port.show(replace(self._port.view_state, trends=trends))

    def read_kinds(self) -> None:
        """Read the kinds of server, unless they are known already."""
        if self._open_source is not None and not self._port.view_state.kinds:
            self._port.run_in_thread(read_kinds, self._show_kinds, "kinds", exclusive=False)

    def _show_kinds(self, kinds: Mapping[str, Kind]) -> None:
        self._port.show(replace(self._port.view_state, kinds=kinds))


def _run(open_source: OpenSource, request: QueryRequested) -> Callable[[], None]:
    source = open_source()
    try:
        return request.read(source)
    finally:
        source.close()


def _deliver(asker: MessagePump, answer: Callable[[], None]) -> None:
    asker.call_later(answer)  # dropped when the screen has gone


class PresenceController:
    """Tells other consoles on the same store about this one, and shows them here."""

    def __init__(self, port: ConsolePort, presence: ConsolePresence | None) -> None:
        self._port = port
        self._presence = presence
        self._announced = ""

    def announce(self) -> None:
        """Tell the other consoles which view this one shows, and read theirs, on a thread."""
        screen = self._port.current_screen
        if self._presence is not None and screen is not None:
            self._announced = screen.view
            work = partial(self._presence.announce, screen.view, self._port.clock())
            self._port.run_in_thread(work, self._show_others, "presence")

    def announce_change(self) -> None:
        """Tell the other consoles about the view of this one, if it is another than last time."""
        screen = self._port.current_screen
        if screen is not None and screen.view != self._announced:
            self.announce()

    def _show_others(self, others: tuple[Presence, ...]) -> None:
        self._port.show(replace(self._port.view_state, others=others))

    def leave(self) -> None:
        """Remove this console from the list of open consoles in the store."""
        if self._presence is not None:
            self._presence.leave()
