"""`:change` marks what happened to the model in focus, at the moment that is in view."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.events import Paste

from console import boards
from console.boards import NOW
from console.test_screens import Clock, Shown
from store.stores import ANNA
from watchdeck.actions.actor import Actor
from watchdeck.actions.requests import (
    ArgumentError,
    ChangeRequest,
    Selection,
    parse_arguments,
)
from watchdeck.console.app import Console
from watchdeck.console.state.services import Services
from watchdeck.console.widgets.prompt import HintLine
from watchdeck.domain.board.change import ChangeKind
from watchdeck.domain.settings.configuration import Retention
from watchdeck.store.files.connection import open_readonly
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.writer import MetricsWriter
from watchdeck.store.migrations import prepare
from watchdeck.store.state.changes import read_changes

MINUTE = 60_000


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        pytest.param("cache emptied", ChangeKind.NOTE, "cache emptied", id="a note"),
        pytest.param("--what deploy v2", ChangeKind.DEPLOY, "v2", id="as in the shell"),
        pytest.param("--what=retrain on  May", ChangeKind.RETRAIN, "on  May", id="with a sign"),
        pytest.param("--what config", ChangeKind.CONFIGURATION, "", id="no words: refused later"),
        pytest.param("a -- b", ChangeKind.NOTE, "a -- b", id="dashes within"),
    ],
)
def test_a_change_is_typed_as_in_the_shell(text: str, kind: ChangeKind, words: str) -> None:
    assert ChangeRequest.parse(text, Selection(model="a")) == ChangeRequest("a", kind, words)


@pytest.mark.parametrize(
    "text", ["--what party all night", "--at 5m v2", "--what", "--", "--\x1b["]
)
def test_what_is_no_change_is_said_with_what_would_be(text: str) -> None:
    with pytest.raises(ArgumentError, match=r"--what deploy\|config\|retrain\|note TEXT") as caught:
        ChangeRequest.parse(text, Selection())
    assert "\x1b" not in str(caught.value)


@pytest.fixture
def store(tmp_path: Path) -> StoreDirectory:
    """A store that knows the models of the small fleet."""
    directory = StoreDirectory(tmp_path / "store")
    prepare(directory)
    writer = MetricsWriter(directory, Retention(), clock=boards.clock)
    writer.start()
    writer.register([model.facts for model in boards.small_fleet()])
    writer.close()
    return directory


def marked(store: StoreDirectory) -> list[tuple[str, str, str, int]]:
    with closing(open_readonly(store.state)) as db:
        found = read_changes(db, 0, NOW + 1)
    return [(one.endpoint, one.what, one.text, one.at) for one in found]


@asynccontextmanager
async def opened(
    store: StoreDirectory, *, read_only: bool = False, nobody: bool = False
) -> AsyncIterator[Shown]:
    settings, clock = replace(boards.settings(), read_only=read_only), Clock()
    services = Services(actor=None if nobody else Actor(store, ANNA))
    console = Console(store, clock=clock, settings=settings, services=services)
    async with console.run_test(size=(120, 40)) as pilot:
        shown = Shown(console, pilot, clock)
        await shown.board()
        yield shown


async def say(at: Shown, line: str) -> None:
    await at.press("colon")
    at.console.post_message(Paste(line))
    await at.press("enter")
    await at.console.workers.wait_for_complete()
    await at.settle()


async def test_the_model_under_the_cursor_is_marked_now_and_it_is_said_so(
    store: StoreDirectory,
) -> None:
    async with opened(store) as at:
        await at.press("down")
        await say(at, "change --what deploy v2")
        assert marked(store) == [("fraud-detector", "deploy", "v2", NOW)]
        assert "marked on fraud-detector at 2026-11-23 05:00:00 UTC: deploy: v2 (change 1)" in (
            at.text()
        )


async def test_before_it_is_entered_one_sees_which_model_and_when(store: StoreDirectory) -> None:
    async with opened(store) as at:
        await at.press("enter", "colon", *"change", "space")
        hint = at.console.screen.query_one(HintLine)
        assert hint.hint.words.startswith("change --what deploy  change --what config")
        await at.press("w", "x")
        assert hint.hint.words == "Mark a change of the model in focus: churn now"


async def test_an_open_model_is_marked_where_the_charts_cursor_is_and_read_again(
    store: StoreDirectory,
) -> None:
    async with opened(store) as at:
        await at.press("2", "down", "enter")
        wanted = at.detail._wanted
        assert wanted is not None
        at.detail.show_history(wanted, boards.found(wanted))
        await at.settle()
        await at.press(*["h"] * 5)
        pointed = at.detail.pointed
        assert pointed is not None
        assert pointed < NOW
        await say(at, "change v2")
        assert marked(store) == [("fraud-detector", "note", "v2", pointed)]


async def test_in_the_past_the_moment_that_is_shown_is_marked(store: StoreDirectory) -> None:
    async with opened(store) as at:
        await at.board(at=NOW - 5 * MINUTE, live=False)
        await say(at, "change v2")
        assert marked(store) == [("churn", "note", "v2", NOW - 5 * MINUTE)]
        assert "04:55:00 UTC: note: v2" in at.text()


@pytest.mark.parametrize(
    ("read_only", "nobody", "line", "said"),
    [
        pytest.param(True, False, "change v2", "this console is read-only", id="read-only"),
        pytest.param(False, True, "change v2", "this console is read-only", id="nobody's console"),
        pytest.param(False, False, "change --what x y", "is no change; write", id="no kind"),
        pytest.param(False, False, f"change {'v' * 201}", "200 are kept", id="too long a text"),
    ],
)
async def test_a_change_that_cannot_be_marked_is_refused_with_words(
    store: StoreDirectory, *, read_only: bool, nobody: bool, line: str, said: str
) -> None:
    async with opened(store, read_only=read_only, nobody=nobody) as at:
        await say(at, line)
        assert said in at.text()
        assert marked(store) == []


async def test_without_a_model_there_is_nothing_to_mark(store: StoreDirectory) -> None:
    async with opened(store) as at:
        await at.press("question_mark")
        await say(at, "change v2")
        assert "no model is in focus" in at.text()
        await at.press("escape", "b")
        await say(at, "change v2")
        assert "no model is in focus" in at.text()
        assert marked(store) == []


def test_a_change_of_many_signs_is_read_to_its_end() -> None:
    with pytest.raises(ArgumentError):
        ChangeRequest.parse(f"--{'=' * 100_000} a\nb", Selection(model="a"))


def test_matchers_and_a_length_come_before_the_words() -> None:
    typed = parse_arguments("a=b 2h c=d a deploy e=f")
    assert [str(one) for one in typed.matchers] == ["a=b", "c=d"]
    assert (typed.length, typed.words) == (7_200_000, "a deploy e=f")
    assert len(parse_arguments("a=b " * 50_000).matchers) == 50_000
