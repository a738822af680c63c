"""The `:` prompt and the command palette, which run the commands of one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from watchdeck.console.controllers.port import ConsolePort
from watchdeck.console.input.commands import (
    Command,
    CommandError,
    CompletionContext,
    completions,
    entries,
    hint,
    parse,
)
from watchdeck.console.input.keys import KeyScope
from watchdeck.console.models.columns import sortable_columns
from watchdeck.console.models.list_panel import ModelList
from watchdeck.console.theme.themes import theme_files
from watchdeck.console.widgets.filterable_list import FilterableList
from watchdeck.console.widgets.prompt import Hint, Prompt
from watchdeck.domain.board.filter import FilterError

COMMAND = ":"
"""The sign of the prompt for a command."""


class CommandLine:
    """Completes and runs typed commands.

    `table` holds the commands of all controllers; it is set after these are made.
    """

    def __init__(self, port: ConsolePort) -> None:
        self._port = port
        self.table: tuple[Command, ...] = ()

    def keys(self) -> Mapping[str, Callable[[], object]]:
        """The function to call for each key binding, by the id of the binding."""
        return {"command": self.begin, "palette": self.open_palette}

    def commands(self) -> tuple[Command, ...]:
        """The commands that filter the list in view, and sort the list of models."""
        return (
            Command(
                *("filter", "Show some models or alerts only", self.filter_list, "TEXT"),
                choices=lambda known: known.filters,
                is_free=True,
            ),
            Command(
                *("sort", "Sort the models by a column", self.sort_models, "COLUMN"),
                choices=lambda known: known.columns,
            ),
        )

    def begin(self, text: str = "") -> None:
        """Open the prompt for a command, with `text` already typed."""
        screen = self._port.current_screen
        if screen is not None:
            past = self._port.view_state.typed.setdefault(COMMAND, [])
            screen.open_prompt(Prompt(COMMAND, self, past, text))

    def open_palette(self) -> None:
        """Open the command palette."""
        screen = self._port.current_screen
        if screen is not None and screen.WHERE is not KeyScope.PALETTE:
            from watchdeck.console.dialogs.command_palette import PaletteScreen

            found = tuple(entries(self._known(), self.table))
            state, mode = self._port.view_state, self._port.current_mode
            self._port.push_screen(PaletteScreen(state, mode, found, self._choose))

    def _choose(self, entry: str) -> None:
        """Run an entry of the palette; one that ends with a blank is completed in the prompt."""
        if entry.endswith(" "):
            self.begin(entry)
        else:
            self.submit(entry)  # if its model has gone since, nothing happens

    def _known(self) -> CompletionContext:
        settings, models = self._port.view_state.settings, self._models()
        return CompletionContext(
            tuple(model.facts.name for model in self._port.view_state.models),
            tuple(sorted(theme_files(settings.environ))),
            sortable_columns(models.rows.columns) if models else (),
            tuple(f"@{name}" for name in settings.view.filters),
        )

    def _models(self) -> ModelList | None:
        screen = self._port.current_screen
        return next(iter(screen.query(ModelList)), None) if screen else None

    def _models_or_notice(self) -> ModelList | None:
        models = self._models()
        if models is None:
            self._port.say("this works on a list of models: 1 or 2 goes to one")
        return models

    def filter_list(self, text: str) -> None:
        """Filter the list in view, of models before alerts; a mistake is shown as a notice."""
        screen = self._port.current_screen
        found = self._models() or next(iter(screen.query(FilterableList)), None) if screen else None
        if found is None:
            self._port.say("this works on a list of models or alerts: 2 or 3 goes to one")
            return
        try:
            found.filter(text)
        except FilterError as error:
            self._port.say(f"{error} (at character {error.position + 1})")

    def sort_models(self, column: str) -> None:
        """Sort the list of models in view by the column called `column`."""
        models = self._models_or_notice()
        if models is not None:
            models.sort(column)

    def hint(self, text: str) -> Hint:
        """The hint on a typed line: its completions, or the effect of its command."""
        return Hint(hint(text, self._known(), self.table))

    def complete(self, text: str) -> str:
        """The best completion of a typed line; empty when there is none."""
        return next(iter(completions(text, self._known(), self.table)), "")

    def submit(self, text: str) -> Hint | None:
        """Run a typed command; returns None, or the mistake because of which it was not run."""
        try:
            parsed = parse(text, self._known(), self.table)
        except CommandError as error:
            return Hint(str(error), error.position)
        self._port.call_later(parsed.command.run, parsed.text)
        return None

    def cancel(self) -> None:
        """Do nothing: Esc ends the prompt without a command."""
