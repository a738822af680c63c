"""A screen on which alerts are chosen, and what its keys do to them."""

from __future__ import annotations

from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.state.alert_verbs import parse_arguments
from watchdeck.console.state.messages import ActionRequested, CommandLineRequested
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.alerts.muting import matched_alerts


class AlertActionScreen(BaseScreen, inherit_bindings=False):
    """Knows which alerts a verb is about; the verbs themselves are the application's."""

    BINDINGS = bindings(KeyScope.HANDLING)

    @property
    def chosen(self) -> tuple[int, ...]:
        """The open episodes that a verb is about."""
        raise NotImplementedError

    @property
    def remembered(self) -> tuple[int, ...]:
        """The episodes that a note or an opinion is about: they may be over."""
        raise NotImplementedError

    def _of(self, episodes: tuple[int, ...]) -> list[ActiveAlert]:
        return [one for one in self.alerts if one.episode.id in episodes]

    @property
    def meant(self) -> str:
        """The labels that a silence of the chosen alerts begins with: what all of them share."""
        found = self._of(self.chosen)
        names = (("rule", "rule"), ("model", "model"))
        shared = [
            f"{label}={getattr(found[0].alert, name)}"
            for label, name in names
            if found and len({getattr(one.alert, name) for one in found}) == 1
        ]
        owners = {one.alert.labels.get("owner", "") for one in found}
        if not shared and len(owners) == 1 and owners != {""}:
            shared = [f"owner={owners.pop()}"]
        return " ".join(shared)

    def hinted(self, text: str) -> str:
        """Of a silence, how many alerts it would hide right now."""
        name, _, rest = text.partition(" ")
        matchers = parse_arguments(rest).matchers
        if name != "silence" or not matchers:
            return super().hinted(text)
        hidden = [one for one in matched_alerts(matchers, self.alerts) if one.episode.is_open]
        return f"hides {len(hidden)} open alert{'' if len(hidden) == 1 else 's'}; then say why"

    def _do(self, verb: str, text: str = "") -> None:
        self.post_message(ActionRequested(verb, self.chosen, text))

    def _begin(self, begun: str) -> None:
        self.post_message(CommandLineRequested(begun))

    def action_acknowledge(self) -> None:
        """Take the chosen alerts for as long as is usual."""
        self._do("ack")

    def action_acknowledge_with(self) -> None:
        """Take them for another time, or with a note."""
        self._begin("ack ")

    def action_take_over(self) -> None:
        """Take them from who has them."""
        self._do("takeover")

    def action_unacknowledge(self) -> None:
        """Give them back."""
        self._do("unack")

    def action_escalate(self) -> None:
        """Tell those who come next."""
        self._do("escalate")

    def action_silence(self) -> None:
        """Silence what is like them: the labels stand there already."""
        self._begin(f"silence {self.meant} 2h ".replace("  ", " "))

    def action_note(self) -> None:
        """Write a note."""
        self._begin("note ")

    def action_resolve(self) -> None:
        """End them by hand, with a note."""
        self._begin("resolve ")

    def action_pin(self) -> None:
        """Pin a known issue on the model."""
        self._begin(f"pin model={self.subject} 1d " if self.subject else "pin ")

    def action_opine(self, opinion: str) -> None:
        """Say what an alert that is over was worth."""
        if self.remembered:
            self.post_message(ActionRequested("opinion", self.remembered, opinion))
