"""Waiting until an application has drawn all it has to draw."""

from __future__ import annotations

from textual.pilot import Pilot


async def settle(pilot: Pilot[None]) -> None:
    """Until every message is handled and everything drawn; time plays no part in it."""
    quiet = 0
    while quiet < 2:
        await pilot.pause(0)
        screen = pilot.app.screen
        due = screen._layout_required or screen._scroll_required or screen._repaint_required
        quiet = 0 if due or screen._dirty_widgets else quiet + 1
