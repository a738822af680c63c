import re

import pytest

from watchdeck.console.input.key_names import key_caption, textual_key_name
from watchdeck.console.input.keymap import apply_keymap
from watchdeck.console.input.keys import KEYS


@pytest.mark.parametrize(
    ("written", "name", "shown"),
    [
        ("x", "x", "x"),
        ("X", "X", "X"),
        ("/", "slash", "/"),
        ("?", "question_mark", "?"),
        ("Ctrl+D", "ctrl+d", "Ctrl+d"),
        ("PgDn", "pagedown", "PgDn"),
        ("↑", "up", "↑"),
        ("shift+tab", "shift+tab", "Shift+Tab"),
        ("F5", "f5", "F5"),
        (" ", "space", "Space"),
    ],
)
def test_a_key_is_known_as_it_is_written_and_as_it_is_printed(
    written: str, name: str, shown: str
) -> None:
    assert (textual_key_name(written), key_caption(name)) == (name, shown)
    assert textual_key_name(key_caption(name)) == name


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "names no key"),
        ("ctlr+x", "'ctlr+x' is not a key"),
        ("shift+a", "'shift+a' is a letter with shift; Write 'A'"),
        ("ctrl+i", "'ctrl+i' looks like 'tab' to a terminal"),
        ("ctrl+[", "looks like 'escape' to a terminal"),
        ("\x1b[2J", "'^[[2J' is not a key"),
        ("é", "'é' is not a key"),
    ],
)
def test_what_is_no_key_is_told_with_what_would_be(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        textual_key_name(written)


def keys_of(wanted: dict[str, str]) -> dict[str, str]:
    table, problems = apply_keymap(wanted)
    assert problems == ()
    return {key.id: key.keys for key in table}


def test_only_the_bindings_that_were_named_get_other_keys() -> None:
    found = keys_of({"theme.next": "F5", "list.filter": "F6, F7"})
    assert (found["theme.next"], found["list.filter"]) == ("f5", "f6,f7")
    assert {i: k for i, k in found.items() if i not in ("theme.next", "list.filter")} == {
        key.id: key.keys for key in KEYS if key.id not in ("theme.next", "list.filter")
    }


def test_two_bindings_may_change_places() -> None:
    found = keys_of({"models.sort": "r", "models.turn": "s"})
    assert (found["models.sort"], found["models.turn"]) == ("r", "s")


def test_every_problem_is_told_at_once_and_then_no_key_is_other_than_ours() -> None:
    wanted = {"quti": "x", "theme.next": "ctrl+a", "chart.left": "ctlr+x", "screen.redraw": "v"}
    table, problems = apply_keymap(wanted)
    assert table is KEYS
    never = "Never ctrl+a, ctrl+b, ctrl+s, ctrl+q."
    other = "Give one of them another key."
    assert [str(problem).removeprefix("console.keys.") for problem in problems] == [
        "quti is not a binding. Did you mean 'quit'?",
        f"\"theme.next\" is 'ctrl+a', which tmux, screen or flow control takes away. {never}",
        "\"chart.left\" 'ctlr+x' is not a key. Write a key such as x, F5 or ctrl+x.",
        f"\"screen.redraw\" is 'v', as list.mark is (deck, models, alerts). {other}",
    ]


def test_a_key_of_another_screen_may_be_taken() -> None:
    assert keys_of({"chart.compare": "v"})["chart.compare"] == "v"
