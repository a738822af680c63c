"""Mode 2: the live table of models."""

from __future__ import annotations

from textual.app import ComposeResult

from watchdeck.console.input.keys import Where, bindings
from watchdeck.console.models.column_choice import chosen
from watchdeck.console.models.list_base import FleetScreen
from watchdeck.console.models.list_panel import ModelList
from watchdeck.console.widgets.base_screen import Watching


class ModelsScreen(FleetScreen, inherit_bindings=False):
    """One row a model, one column a signal."""

    WHERE = Where.MODELS
    BINDINGS = bindings(Where.MODELS)

    def panels(self) -> ComposeResult:
        """The table has the whole screen."""
        columns, _ = chosen(self.setting.view.columns if self.setting else ())
        yield ModelList("models", columns).data_bind(
            Watching.models, Watching.written, Watching.now, Watching.stale, Watching.setting
        )
