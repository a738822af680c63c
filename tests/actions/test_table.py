"""The table of actions: every way to ask for one is there, or the table says why it is not."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec
import pytest

from console.console_commands import COMMANDS
from watchdeck.actions import requests
from watchdeck.actions.action import Action, Place
from watchdeck.actions.actor import Actor, ActorRole
from watchdeck.actions.table import (
    ACTIONS,
    NOT_IN_THE_SHELL,
    NOT_ON_A_KEY,
    NOT_TYPED,
    perform,
)
from watchdeck.cli import group
from watchdeck.console.input.keys import KEYS
from watchdeck.domain.values.operator import Operator
from watchdeck.errors import WatchdeckError
from watchdeck.store.files.directory import StoreDirectory

WHO = Operator("anna")


def shell_options(action: Action) -> set[str]:
    """The options of the shell command that asks for an action; empty when there is no command."""
    if action.shell is None:
        return set()
    context, found = click.Context(group), None
    for word in action.shell.command.split():
        command = found if isinstance(found, click.Group) else group
        found = command.get_command(context, word)
    return {name for one in found.params for name in one.opts} if found else set()


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_an_action_has_a_key_a_name_and_a_shell_command_or_the_table_says_why_not(
    action: Action,
) -> None:
    keys = {key.id for key in KEYS}
    assert all(key.id in keys for key in action.keys)
    assert bool(action.keys) is not (action.name in NOT_ON_A_KEY)
    typed = action.name in {command.name for command in COMMANDS}
    assert typed is not (action.name in NOT_TYPED)
    options = shell_options(action)
    assert bool(options) is not (action.name in NOT_IN_THE_SHELL)
    if action.shell and action.shell.option:
        assert action.shell.option.name in options


def test_every_request_belongs_to_one_action_and_survives_a_transport() -> None:
    kinds = [
        one
        for one in vars(requests).values()
        if isinstance(one, type)
        and issubclass(one, requests.ActionRequest)
        and one is not requests.ActionRequest
    ]
    assert sorted(kind.__name__ for kind in kinds) == sorted(a.request.__name__ for a in ACTIONS)
    sent = requests.AcknowledgeRequest((1, 2), 3_600_000, "on it")
    body = msgspec.json.encode(sent)
    assert msgspec.json.decode(body, type=requests.AcknowledgeRequest) == sent
    assert b'"action":"ack"' in body


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_the_name_of_an_action_is_the_tag_of_its_request(action: Action) -> None:
    assert action.request.__struct_config__.tag == action.name


def test_two_keys_never_share_an_id() -> None:
    ids = [key.id for action in ACTIONS for key in action.keys]
    assert len(ids) == len(set(ids))
    assert {key.where for action in ACTIONS for key in action.keys} == set(Place)


def test_a_viewer_does_nothing(tmp_path: Path) -> None:
    viewer = Actor(StoreDirectory(tmp_path), WHO, role=ActorRole.VIEWER)
    with pytest.raises(WatchdeckError, match="unack needs the role operator"):
        perform(viewer, requests.UnacknowledgeRequest((1,)), 0)
