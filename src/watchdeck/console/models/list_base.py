"""What the deck and the table of models share: a list of models, filtered, each of which opens."""

from __future__ import annotations

from msgspec.structs import replace

from watchdeck.console.input.commands import CompletionContext
from watchdeck.console.models.list_panel import ModelList
from watchdeck.console.models.sorting import sortable
from watchdeck.console.state.messages import ModelOpened
from watchdeck.console.widgets.filter_screen import FilterableScreen
from watchdeck.domain.board.filter import Filter, FilterError, matches, parse
from watchdeck.domain.board.filter_fields import FilteredModel


class ModelListScreen(FilterableScreen, inherit_bindings=False):
    """A screen with a list of models on it."""

    FILTER_HELP = (
        "name  owner=risk  health!=ok  p95>200ms  /pattern/  !not  one | other  @saved   Esc: all"
    )

    def action_open(self) -> None:
        """Open the model under the cursor."""
        name = self.query_one(ModelList).cursor
        if name is not None:
            self.post_message(ModelOpened(name))

    @property
    def subject(self) -> str:
        """The model under the cursor."""
        return self.query_one(ModelList).cursor or ""

    def known(self) -> CompletionContext:
        """Models can be sorted here."""
        return replace(super().known(), columns=sortable(self.query_one(ModelList).columns))

    def read_filter(self, typed: str) -> Filter:
        """A filter, or the saved one that `@name` names."""
        if not typed.startswith("@"):
            return parse(typed)
        saved = self.setting.view.filters if self.setting else {}
        if typed[1:] not in saved:
            names = ", ".join(f"@{name}" for name in saved) or "none yet: [console] filters"
            raise FilterError(1, f"there is no filter of this name. Saved are {names}")
        return parse(saved[typed[1:]])

    def matching(self, wanted: Filter) -> int:
        """How many models match."""
        return sum(matches(wanted, FilteredModel(model)) for model in self.models)
