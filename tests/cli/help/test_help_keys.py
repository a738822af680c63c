"""The reference of keys has every binding of the console."""

import tomllib

import pytest

from cli.help.help_pages import page, section
from watchdeck.cli.help.command import reference_of
from watchdeck.cli.help.docstrings import field_docstrings
from watchdeck.cli.help.keys import SAMPLE
from watchdeck.console.input.key_names import key_caption
from watchdeck.console.input.keymap import apply_keymap
from watchdeck.console.input.keys import KEYS, NEVER, Key, KeyScope, display


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.id)
def test_a_binding_is_shown_with_its_keys_and_its_id(key: Key) -> None:
    shown = {entry.name: entry for entry in section("keys", key.where.name.lower()).entries}
    assert shown[key.id].term == display(key)
    assert shown[key.id].paragraphs == (f"{key.words}  [{key.id}]",)
    assert f"[{key.id}]" in page("keys")


def test_every_scope_says_where_its_keys_work() -> None:
    means = field_docstrings(KeyScope)
    assert {scope.name for scope in KeyScope} == means.keys()
    for scope in KeyScope:
        assert section("keys", scope.name.lower()).paragraphs == (means[scope.name],)
    assert reference_of("keys").names[0] == "everywhere"


def test_the_sample_of_other_keys_has_no_problem() -> None:
    wanted = tomllib.loads(SAMPLE)["console"]["keys"]
    keys, problems = apply_keymap(wanted)
    assert problems == ()
    changed = {key.id: key.keys for key in keys if key.id in wanted}
    assert changed == {"theme.next": "f5", "list.down": "down,j,ctrl+n", "ack.set": "a,f2"}
    assert all(key_caption(key) in page("keys") for key in NEVER)
