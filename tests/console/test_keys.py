from dataclasses import replace

import pytest
from textual.dom import DOMNode

from watchdeck.console import keys
from watchdeck.console.app import Console
from watchdeck.console.keys import KEYS, NEVER, SCREENS, Key, Where, bindings, shared, working
from watchdeck.console.panels.choosing import ChoosingList
from watchdeck.console.panels.list import List
from watchdeck.console.panels.models import ModelList
from watchdeck.console.screens.alert import AlertScreen
from watchdeck.console.screens.alerts import AlertsScreen
from watchdeck.console.screens.before import BeforeScreen
from watchdeck.console.screens.deck import DeckScreen
from watchdeck.console.screens.detail import DetailScreen
from watchdeck.console.screens.exchange import ExchangeScreen
from watchdeck.console.screens.handling import Handling
from watchdeck.console.screens.help import HelpScreen
from watchdeck.console.screens.models import ModelsScreen
from watchdeck.console.screens.palette import PaletteScreen
from watchdeck.console.screens.problems import ProblemsScreen

OWNERS: dict[Where, type[DOMNode]] = {
    Where.EVERYWHERE: Console,
    Where.LIST: List,
    Where.CHOICE: ChoosingList,
    Where.FLEET: ModelList,
    Where.DECK: DeckScreen,
    Where.HANDLING: Handling,
    Where.ALERTS: AlertsScreen,
    Where.ALERT: AlertScreen,
    Where.MODELS: ModelsScreen,
    Where.DETAIL: DetailScreen,
    Where.HELP: HelpScreen,
    Where.PALETTE: PaletteScreen,
    Where.EXCHANGE: ExchangeScreen,
    Where.BEFORE: BeforeScreen,
    Where.PROBLEMS: ProblemsScreen,
}


def test_no_key_does_two_things_on_one_screen() -> None:
    assert [*shared()] == []


def test_a_clash_is_named() -> None:
    doubled = replace(KEYS[0], id="deck.other", action="other")
    found = [(where, name) for where, name, _ in shared((*KEYS, doubled))]
    assert found == [(Where.DECK, "enter")]
    everywhere = Key("x", "down", "x", "x", Where.EVERYWHERE)
    assert len([*shared((*KEYS, everywhere))]) == len(SCREENS)


def test_prefixes_of_multiplexers_and_flow_control_are_never_bound() -> None:
    bound = {name for key in KEYS for name in key.keys.split(",")}
    assert not bound & {*NEVER}


def test_every_key_has_an_id_of_its_own_and_words() -> None:
    assert len({key.id for key in KEYS}) == len(KEYS)
    assert all(key.words for key in KEYS)


@pytest.mark.parametrize("where", list(Where))
def test_every_action_exists_where_its_key_works(where: Where) -> None:
    for key in KEYS:
        if key.where is where:
            name = key.action.partition("(")[0]
            assert callable(getattr(OWNERS[where], f"action_{name}"))


@pytest.mark.parametrize("where", list(Where))
def test_only_keys_of_the_table_are_bound(where: Where) -> None:
    assert list(OWNERS[where].BINDINGS) == bindings(where)
    merged = OWNERS[where]._merge_bindings()
    places = {
        Where.FLEET: (where, Where.CHOICE, Where.LIST),
        Where.CHOICE: (where, Where.LIST),
        Where.ALERTS: (where, Where.HANDLING),
        Where.ALERT: (where, Where.HANDLING),
    }.get(where, (where,))
    expected = {name for key in KEYS if key.where in places for name in key.keys.split(",")}
    assert {*merged.key_to_bindings} == expected


def test_digits_switch_modes_and_do_nothing_else() -> None:
    digits = {key.keys: key.action for key in KEYS if key.keys.isdigit()}
    assert digits == {digit: f"mode('{name}')" for digit, name in keys.MODES}


def test_the_help_of_a_screen_lists_all_that_works_there() -> None:
    shown = [key.id for key in working(Where.DETAIL)]
    assert shown[0] == "detail.next"
    assert "list.down" in shown
    assert "quit" in shown
    assert "deck.open" not in shown


def test_keys_are_named_as_on_a_keyboard() -> None:
    named = {key.id: keys.display(key) for key in KEYS}
    assert named["list.page_down"] == "PgDn Ctrl+d"
    assert named["help.open"] == "?"
    assert named["detail.closer"] == "+ ="
