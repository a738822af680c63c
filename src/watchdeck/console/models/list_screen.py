"""Mode 2: the live table of models."""

from __future__ import annotations

from textual.app import ComposeResult

from watchdeck.console.input.keys import KeyScope, bindings
from watchdeck.console.models.columns import choose_columns
from watchdeck.console.models.list_panel import ModelList, ModelRows
from watchdeck.console.widgets.base_screen import BaseScreen


class ModelsScreen(BaseScreen, inherit_bindings=False):
    """The table of models: a row for each model, with the configured columns."""

    WHERE = KeyScope.MODELS
    BINDINGS = bindings(KeyScope.MODELS)

    def panels(self) -> ComposeResult:
        """The table of models on the whole screen."""
        columns, _ = choose_columns(self.state.settings.view.columns)
        yield ModelList(ModelRows("models", columns)).data_bind(BaseScreen.view_state)
