"""A screen with a list that follows a filter while it is typed, and says where that is wrong."""

from __future__ import annotations

from typing import ClassVar

from textual import on

from watchdeck.console.state.messages import FilterRequested
from watchdeck.console.widgets.base_screen import BaseScreen
from watchdeck.console.widgets.filterable_list import FilterableList
from watchdeck.console.widgets.prompt import Hint, Prompt
from watchdeck.domain.board.filter import EVERYTHING, Filter, FilterError

FILTER = "/"
"""The sign of the line that a filter is typed on."""


class FilterableScreen(BaseScreen):
    """Knows the line of the filter; which list it is for and how it is read are the screen's."""

    FILTER_HELP: ClassVar[str]

    def read_filter(self, typed: str) -> Filter:
        """What is typed as a filter. Raises FilterError when it cannot be read."""
        raise NotImplementedError

    def matching(self, wanted: Filter) -> int:
        """How many rows match."""
        raise NotImplementedError

    @property
    def _list(self) -> FilterableList:
        return self.query_one(FilterableList)

    def keep(self, typed: str) -> None:
        """Filter by a text from now on. Raises FilterError when it cannot be read."""
        self._list.want(self.read_filter(typed), typed)

    @on(FilterRequested)
    def _ask_for_filter(self) -> None:
        """The list follows every letter that is typed."""
        self.ask(Prompt(FILTER, self._list.typed, self.history(FILTER)))

    @on(Prompt.Changed)
    def _try(self, message: Prompt.Changed) -> None:
        if message.prompt.sign != FILTER:
            return
        typed = message.text.strip()
        try:
            wanted = self.read_filter(typed)
        except FilterError as error:
            message.prompt.hint(Hint(str(error), error.position))
            return
        self._list.want(wanted, typed)
        said = f"{self.matching(wanted)} of {self._list.total}" if typed else self.FILTER_HELP
        message.prompt.hint(Hint(said))

    @on(Prompt.Done)
    def _keep(self, message: Prompt.Done) -> None:
        if message.prompt.sign != FILTER:
            return
        typed = message.text.strip()
        try:
            self.keep(typed)
        except FilterError as error:
            message.prompt.hint(Hint(str(error), error.position))
            return
        self.remember(FILTER, typed)
        self.unask()

    @on(Prompt.Left)
    def _show_all(self, message: Prompt.Left) -> None:
        if message.prompt.sign == FILTER:
            self._list.want(EVERYTHING, "")
            self.unask()
