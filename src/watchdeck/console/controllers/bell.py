"""The terminal's bell and desktop notice for new paging alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from watchdeck.console.controllers.port import ConsolePort
from watchdeck.console.lines.line import cut
from watchdeck.domain.alerts.alert import ActiveAlert, DisplayState
from watchdeck.domain.board.board import Board
from watchdeck.domain.settings.configuration import ConsoleSettings

_CALLS = (DisplayState.FIRING, DisplayState.NO_DATA, DisplayState.FLAPPING)

_LONGEST = 120
"""The most cells of a desktop notice."""

_FORMS = {"osc9": "\x1b]9;{text}\x07", "osc777": "\x1b]777;notify;watchdeck;{text}\x07"}
"""Control sequences of a desktop notice, by the value of the setting `notices`."""


def unacknowledged_pages(board: Board) -> dict[int, ActiveAlert]:
    """By episode id, the alerts that fire with a paging severity, not acknowledged or muted."""
    return {
        one.episode.id: one
        for one in board.alerts
        if one.display_state in _CALLS
        and one.episode.severity.is_paging
        and one.acknowledgement is None
        and not one.mutes
    }


def bell_sequence(
    found: Iterable[ActiveAlert], view: ConsoleSettings, environ: Mapping[str, str]
) -> str:
    """The control sequence that rings the terminal and shows a desktop notice of these alerts.

    Empty without alerts, or when the settings `view` turn off both.
    """
    names = [f"{one.alert.rule} {one.alert.model}".strip() for one in found]
    if not names:
        return ""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    text = cut(f"{names[0]}{more}", _LONGEST).replace(";", ",")
    notice = _FORMS[view.notices].format(text=text) if view.notices in _FORMS else ""
    if notice and environ.get("TMUX"):
        notice = "\x1bPtmux;" + notice.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return ("\x07" if view.bell else "") + notice


class BellController:
    """Rings the terminal's bell for paging alerts that were not on the previous board."""

    def __init__(self, port: ConsolePort) -> None:
        self._port = port
        self._known: dict[int, ActiveAlert] | None = None

    def ring_for_new(self, board: Board | None) -> None:
        """Ring for paging alerts that are new on a live board; for none on the first board."""
        if board is None or not board.live:
            return
        before, self._known = self._known, unacknowledged_pages(board)
        known = self._known if before is None else before
        new = [one for number, one in self._known.items() if number not in known]
        settings, output = self._port.view_state.settings, self._port.output
        if output is not None and bell_sequence(new, settings.view, settings.environ):
            output.write(bell_sequence(new, settings.view, settings.environ))
