"""The link to the terminal: less output when it is slow, and a meter of its traffic."""

from __future__ import annotations

from msgspec.structs import replace

from watchdeck.console.controllers.port import ConsolePort
from watchdeck.console.input.commands import Command
from watchdeck.console.terminal.app import DiffRenderedApp
from watchdeck.console.widgets.chrome_lines import traffic_words

SLOW = 0.15
"""Round-trip time to the terminal, in seconds, above which less output is sent."""


class LinkMonitor:
    """Watches the link to the terminal: reduces output when it is slow, and shows its traffic."""

    def __init__(self, app: DiffRenderedApp, port: ConsolePort) -> None:
        self._app = app
        self._port = port
        self._is_metered = False

    def commands(self) -> tuple[Command, ...]:
        """The command that shows or hides the traffic."""
        words = "Show or hide the traffic on the link to this terminal"
        return (Command("meter", words, lambda _: self.toggle_meter()),)

    def tick(self) -> None:
        """Reduce output when the link is slow (round trip), unless `slow_link` is configured.

        Otherwise update the notice with the traffic, if it is shown.
        """
        traffic = self._app.traffic
        if traffic is None:
            return
        is_set = self._port.view_state.settings.view.slow_link is not None
        lag = traffic.lowest_lag
        if not is_set and not self._app.is_link_slow and lag is not None and lag > SLOW:
            self._app.reduce_output()
            words = f"the link is slow ({lag * 1_000:.0f} ms): fewer colours, no mouse"
            self._port.say(words)
        elif self._is_metered:
            self._port.say(traffic_words(traffic))

    def toggle_meter(self) -> None:
        """Start or stop showing the traffic to the terminal as a notice."""
        self._is_metered = not self._is_metered
        if not self._is_metered:
            self._port.show(replace(self._port.view_state, notice=""))
        elif self._app.traffic is None:
            self._port.say("nothing is measured here: Textual itself draws on this terminal")
