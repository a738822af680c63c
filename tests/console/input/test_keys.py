import pytest
from msgspec.structs import replace
from textual.dom import DOMNode

from console.boards import Store, clock, settings
from watchdeck.console.alerts.detail_screen import AlertScreen
from watchdeck.console.alerts.list_screen import AlertsScreen
from watchdeck.console.app import Console
from watchdeck.console.changes.screen import RecentChangesScreen
from watchdeck.console.dialogs.command_palette import PaletteScreen
from watchdeck.console.dialogs.config_problems import ProblemsScreen
from watchdeck.console.dialogs.help_screen import HelpScreen
from watchdeck.console.input import keys
from watchdeck.console.input.keys import (
    KEYS,
    NEVER,
    SCREENS,
    Key,
    KeyScope,
    active_keys,
    bindings,
    key_conflicts,
)
from watchdeck.console.models.detail_screen import DetailScreen
from watchdeck.console.models.list_panel import ModelList
from watchdeck.console.models.list_screen import ModelsScreen
from watchdeck.console.models.responses_screen import ResponsesScreen
from watchdeck.console.overview.screen import DeckScreen
from watchdeck.console.widgets.filterable_list import FilterableList
from watchdeck.console.widgets.list import List

OWNERS: dict[KeyScope, type[DOMNode]] = {
    KeyScope.EVERYWHERE: Console,
    KeyScope.LIST: List,
    KeyScope.CHOICE: FilterableList,
    KeyScope.FLEET: ModelList,
    KeyScope.DECK: DeckScreen,
    KeyScope.ALERT_ACTIONS: Console,
    KeyScope.ALERTS: AlertsScreen,
    KeyScope.ALERT: AlertScreen,
    KeyScope.MODELS: ModelsScreen,
    KeyScope.DETAIL: DetailScreen,
    KeyScope.HELP: HelpScreen,
    KeyScope.PALETTE: PaletteScreen,
    KeyScope.EXCHANGE: ResponsesScreen,
    KeyScope.BEFORE: RecentChangesScreen,
    KeyScope.PROBLEMS: ProblemsScreen,
}


def test_no_key_does_two_things_on_one_screen() -> None:
    assert [*key_conflicts()] == []


def test_a_clash_is_named() -> None:
    doubled = replace(KEYS[0], id="deck.other", action="other")
    found = [(where, name) for where, name, _ in key_conflicts((*KEYS, doubled))]
    assert found == [(KeyScope.DECK, "enter")]
    everywhere = Key("x", "down", "x", "x", KeyScope.EVERYWHERE)
    assert len([*key_conflicts((*KEYS, everywhere))]) == len(SCREENS)


def test_prefixes_of_multiplexers_and_flow_control_are_never_bound() -> None:
    bound = {name for key in KEYS for name in key.keys.split(",")}
    assert not bound & {*NEVER}


def test_every_key_has_an_id_of_its_own_and_words() -> None:
    assert len({key.id for key in KEYS}) == len(KEYS)
    assert all(key.words for key in KEYS)


@pytest.mark.parametrize("where", list(KeyScope))
def test_every_action_exists_where_its_key_works(where: KeyScope) -> None:
    for key in KEYS:
        if key.where is where:
            target, _, action = key.action.rpartition("app.")
            owner = OWNERS[where] if not target and action == key.action else Console
            assert callable(getattr(owner, f"action_{action.partition('(')[0]}"))


def test_the_console_has_a_function_for_every_key_that_is_its_own_and_for_no_other() -> None:
    console = Console(Store(), clock=clock, settings=settings())
    own = {key.id for key in KEYS if "run(" in key.action}
    assert {*console._key_functions} == own
    assert all(f"run({key.id!r})" in key.action for key in KEYS if key.id in own)


PLACES = {
    KeyScope.FLEET: (KeyScope.CHOICE, KeyScope.LIST),
    KeyScope.CHOICE: (KeyScope.LIST,),
    KeyScope.ALERTS: (KeyScope.ALERT_ACTIONS,),
    KeyScope.ALERT: (KeyScope.ALERT_ACTIONS,),
}
"""The places whose keys also work where the widgets of another place are."""


@pytest.mark.parametrize("where", [one for one in KeyScope if one is not KeyScope.ALERT_ACTIONS])
def test_only_keys_of_the_table_are_bound(where: KeyScope) -> None:
    own = (where, *PLACES[where]) if where in (KeyScope.ALERTS, KeyScope.ALERT) else (where,)
    assert list(OWNERS[where].BINDINGS) == bindings(*own)
    merged = OWNERS[where]._merge_bindings()
    places = (where, *PLACES.get(where, ()))
    expected = {name for key in KEYS if key.where in places for name in key.keys.split(",")}
    assert {*merged.key_to_bindings} == expected


def test_digits_switch_modes_and_do_nothing_else() -> None:
    digits = {key.keys: key.id for key in KEYS if key.keys.isdigit()}
    assert digits == {digit: f"mode.{name}" for digit, name in keys.MODES}


def test_the_help_of_a_screen_lists_all_that_works_there() -> None:
    shown = [key.id for key in active_keys(KeyScope.DETAIL)]
    assert shown[0] == "detail.next"
    assert "list.down" in shown
    assert "quit" in shown
    assert "deck.open" not in shown


def test_keys_are_named_as_on_a_keyboard() -> None:
    named = {key.id: keys.display(key) for key in KEYS}
    assert named["list.page_down"] == "PgDn Ctrl+d"
    assert named["help.open"] == "?"
    assert named["detail.closer"] == "+ ="
