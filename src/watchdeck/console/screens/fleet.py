"""What the deck and the table of models share: a list of models, filtered, each of which opens."""

from __future__ import annotations

from dataclasses import replace

from textual import on

from watchdeck.console.commands import Known
from watchdeck.console.draw.order import sortable
from watchdeck.console.messages import FilterAsked, ModelOpened
from watchdeck.console.panels.models import ModelList
from watchdeck.console.panels.prompt import Hint, Prompt
from watchdeck.console.screens.watching import Watching
from watchdeck.domain.filter import EVERYTHING, Filter, FilterError, matches, parse
from watchdeck.domain.filtered import FilteredModel

FILTER = "/"
"""The sign of the line that a filter is typed on."""

_HELP = "name  owner=risk  health!=ok  p95>200ms  /pattern/  !not  one | other  @saved   Esc: all"


class FleetScreen(Watching, inherit_bindings=False):
    """A screen with a list of models on it."""

    typed = ""
    """The filter that is kept."""

    def action_open(self) -> None:
        """Open the model under the cursor."""
        name = self.query_one(ModelList).cursor
        if name is not None:
            self.post_message(ModelOpened(name))

    @property
    def subject(self) -> str:
        """The model under the cursor."""
        return self.query_one(ModelList).cursor or ""

    @on(FilterAsked)
    def _ask_for_filter(self) -> None:
        """The list follows every letter that is typed."""
        self.ask(Prompt(FILTER, self.typed, self.history(FILTER)))

    def known(self) -> Known:
        """Models can be sorted here."""
        return replace(super().known(), columns=sortable(self.query_one(ModelList).columns))

    def keep(self, typed: str) -> None:
        """Filter by a text from now on. Raises FilterError when it cannot be read."""
        self.query_one(ModelList).want(self._read(typed), typed)
        self.typed = typed

    def _read(self, typed: str) -> Filter:
        """A filter, or the saved one that `@name` names."""
        if not typed.startswith("@"):
            return parse(typed)
        saved = self.setting.view.filters if self.setting else {}
        if typed[1:] not in saved:
            names = ", ".join(f"@{name}" for name in saved) or "none yet: [console] filters"
            raise FilterError(1, f"there is no filter of this name. Saved are {names}")
        return parse(saved[typed[1:]])

    @on(Prompt.Changed)
    def _try(self, message: Prompt.Changed) -> None:
        if message.prompt.sign != FILTER:
            return
        try:
            wanted = self._read(message.text.strip())
        except FilterError as error:
            message.prompt.hint(Hint(str(error), error.position))
            return
        models = self.query_one(ModelList)
        models.want(wanted, message.text.strip())
        count = sum(matches(wanted, FilteredModel(model)) for model in self.models)
        said = f"{count} of {len(self.models)}" if message.text.strip() else _HELP
        message.prompt.hint(Hint(said))

    @on(Prompt.Done)
    def _keep(self, message: Prompt.Done) -> None:
        if message.prompt.sign != FILTER:
            return
        try:
            self.keep(message.text.strip())
        except FilterError as error:
            message.prompt.hint(Hint(str(error), error.position))
            return
        self.remember(FILTER, self.typed)
        self.unask()

    @on(Prompt.Left)
    def _show_all(self, message: Prompt.Left) -> None:
        if message.prompt.sign == FILTER:
            self.query_one(ModelList).want(EVERYTHING, "")
            self.typed = ""
            self.unask()
