"""Mode 2: the live table of models."""

from __future__ import annotations

from textual.app import ComposeResult

from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.models.columns import choose_columns
from watchdeck.console.models.list_panel import ModelList
from watchdeck.console.widgets.base_screen import BaseScreen


class ModelsScreen(BaseScreen, inherit_bindings=False):
    """One row a model, one column a signal."""

    WHERE = KeyScope.MODELS
    BINDINGS = bindings(KeyScope.MODELS)

    def panels(self) -> ComposeResult:
        """The table has the whole screen."""
        columns, _ = choose_columns(self.state.settings.view.columns)
        yield ModelList("models", columns).data_bind(BaseScreen.view_state)
