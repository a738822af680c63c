"""What the deck and the table of models share: a list of models, each of which opens."""

from __future__ import annotations

from watchdeck.console.messages import ModelOpened
from watchdeck.console.panels.models import ModelList
from watchdeck.console.screens.watching import Watching


class FleetScreen(Watching, inherit_bindings=False):
    """A screen with a list of models on it."""

    def action_open(self) -> None:
        """Open the model under the cursor."""
        name = self.query_one(ModelList).cursor
        if name is not None:
            self.post_message(ModelOpened(name))
