"""`:change` marks what happened to the model in focus, at the moment that is in view."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from console import boards
from console.boards import NOW, Store
from console.test_screens import Clock, Shown
from watchdeck.console.app import Console
from watchdeck.console.controllers.changes import MarkerError, parse_change
from watchdeck.console.state.messages import HistoryRead
from watchdeck.console.state.services import Services
from watchdeck.console.widgets.prompt import HintLine
from watchdeck.domain.board.change import ChangeKind, Marker
from watchdeck.errors import StoreError

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
    assert parse_change(text) == Marker(kind, words)


@pytest.mark.parametrize(
    "text", ["--what party all night", "--at 5m v2", "--what", "--", "--\x1b["]
)
def test_what_is_no_change_is_said_with_what_would_be(text: str) -> None:
    with pytest.raises(MarkerError, match=r"--what deploy\|config\|retrain\|note TEXT") as caught:
        parse_change(text)
    assert "\x1b" not in str(caught.value)


class Pen:
    """Remembers what was marked."""

    def __init__(self, problem: str = "") -> None:
        self.kept: list[tuple[str, Marker, int]] = []
        self._problem = problem

    def __call__(self, endpoint: str, marker: Marker, at: int, now: int) -> int:
        assert now == NOW
        if self._problem:
            raise StoreError(self._problem)
        self.kept.append((endpoint, marker, at))
        return len(self.kept)


@asynccontextmanager
async def at_desk(pen: Pen | None, *, read_only: bool = False) -> AsyncIterator[Shown]:
    setting, clock = replace(boards.setting(), read_only=read_only), Clock()
    console = Console(Store(), clock=clock, setting=setting, desk=Services(mark=pen))
    async with console.run_test(size=(120, 40)) as pilot:
        shown = Shown(console, pilot, clock)
        await shown.board()
        yield shown


async def say(at: Shown, line: str) -> None:
    await at.press("colon")
    for letter in line:
        await at.pilot.press({" ": "space", "-": "minus"}.get(letter, letter))
    await at.press("enter")
    await at.console.workers.wait_for_complete()
    await at.settle()


async def test_the_model_under_the_cursor_is_marked_now_and_it_is_said_so() -> None:
    pen = Pen()
    async with at_desk(pen) as at:
        await at.press("down")
        await say(at, "change --what deploy v2")
        assert pen.kept == [("fraud-detector", Marker(ChangeKind.DEPLOY, "v2"), NOW)]
        assert "marked on fraud-detector at 2026-11-23 05:00:00 UTC: deploy: v2 (change 1)" in (
            at.text()
        )


async def test_before_it_is_entered_one_sees_which_model_and_when() -> None:
    async with at_desk(Pen()) as at:
        await at.press("enter", "colon", *"change", "space")
        hint = at.console.screen.query_one(HintLine)
        assert hint.hint.words.startswith("change --what deploy  change --what config")
        await at.press("w", "x")
        assert hint.hint.words == "Mark a change of the model in focus: churn now"


async def test_an_open_model_is_marked_where_the_charts_cursor_is_and_read_again() -> None:
    pen = Pen()
    async with at_desk(pen) as at:
        await at.press("2", "down", "enter")
        wanted = at.detail._wanted
        assert wanted is not None
        at.detail.post_message(HistoryRead(wanted, boards.found(wanted)))
        await at.settle()
        await at.press(*["h"] * 5)
        pointed = at.detail.pointed
        assert pointed is not None
        assert pointed < NOW
        await say(at, "change v2")
        assert pen.kept == [("fraud-detector", Marker(ChangeKind.NOTE, "v2"), pointed)]


async def test_in_the_past_the_moment_that_is_shown_is_marked() -> None:
    pen = Pen()
    async with at_desk(pen) as at:
        await at.board(at=NOW - 5 * MINUTE, live=False)
        await say(at, "change v2")
        assert pen.kept == [("churn", Marker(ChangeKind.NOTE, "v2"), NOW - 5 * MINUTE)]
        assert "04:55:00 UTC: note: v2" in at.text()


@pytest.mark.parametrize(
    ("pen", "read_only", "line", "said"),
    [
        pytest.param(Pen(), True, "change v2", "this console is read-only", id="read-only"),
        pytest.param(None, False, "change v2", "this console is read-only", id="nobody's console"),
        pytest.param(Pen(), False, "change --what x y", "is no change; write", id="no kind"),
        pytest.param(Pen("the disk is full"), False, "change v2", "the disk is full", id="no room"),
    ],
)
async def test_a_change_that_cannot_be_marked_is_refused_with_words(
    *, pen: Pen | None, read_only: bool, line: str, said: str
) -> None:
    async with at_desk(pen, read_only=read_only) as at:
        await say(at, line)
        assert said in at.text()
        assert not pen or not pen.kept


async def test_without_a_model_there_is_nothing_to_mark() -> None:
    pen = Pen()
    async with at_desk(pen) as at:
        await at.press("question_mark")
        await say(at, "change v2")
        assert "no model is in focus" in at.text()
        await at.press("escape", "b")
        await say(at, "change v2")
        assert "no model is in focus" in at.text()
        assert pen.kept == []
