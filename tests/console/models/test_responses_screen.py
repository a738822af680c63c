"""What a server last answered is shown word for word, and as nothing but text."""

from collections.abc import Sequence

import pytest

from console import boards
from console.boards import NOW, Store
from watchdeck.console.app import Console
from watchdeck.console.lines.line import width
from watchdeck.console.models.responses_lines import NO_RESPONSE, response_lines, responses_text
from watchdeck.console.models.responses_screen import ResponsesScreen
from watchdeck.console.state.messages import BoardUpdated, ModelOpened
from watchdeck.domain.board.board import Board, History
from watchdeck.domain.metrics.scrape import ResponseRecord
from watchdeck.errors import StoreError

PAGE = ResponseRecord(
    "/metrics", NOW - 60_000, 200, "server: x", "# TYPE up gauge\nup [red]1[/red]"
)
LOST = ResponseRecord("/v2/ready", NOW, None, "", "refused by 10.0.0.7")


def test_each_answer_has_its_question_status_age_headers_and_body() -> None:
    lines = [str(line).rstrip() for line in response_lines([PAGE, LOST], NOW, 60)]
    assert lines == [
        " /metrics  200  1m ago",
        "   server: x",
        "   # TYPE up gauge",
        "   up [red]1[/red]",
        "",
        " /v2/ready  no answer  just now",
        "   refused by 10.0.0.7",
        "",
    ]


def test_a_long_line_is_broken_and_none_of_it_lost() -> None:
    bucket = 'seconds_bucket{path="/v2/models/fraud/infer",le="0.025"} 21340146'
    page = ResponseRecord("/metrics", NOW, 200, "", f"{bucket}\n模型{'x' * 30}")
    lines = [str(line) for line in response_lines([page], NOW, 40)]
    assert all(width(line) <= 40 for line in lines)
    assert (
        "".join(line[5:] if line.startswith(" " * 5) else line[3:] for line in lines[1:3]) == bucket
    )
    assert bucket in responses_text([page], NOW)


def test_nothing_is_said_to_be_nothing() -> None:
    assert [str(line) for line in response_lines([], NOW, 60)] == [f" {NO_RESPONSE}"]


class Source(boards.Uneventful):
    """A store with many answers, or one that cannot be read."""

    def __init__(self, *, broken: bool) -> None:
        self._broken = broken

    def has_changed(self) -> bool:
        return False

    def board(self, now: int, at: int | None = None) -> Board:  # noqa: ARG002
        return boards.board()

    def history(
        self,
        endpoint: str,  # noqa: ARG002
        columns: Sequence[str],
        start: int,  # noqa: ARG002
        end: int,
        points: int | None = None,  # noqa: ARG002
    ) -> tuple[History, ...]:
        return tuple(boards.history(column, end) for column in columns)

    def responses(self, endpoint: str) -> tuple[ResponseRecord, ...]:
        if self._broken:
            raise StoreError("metrics.db is damaged")
        return tuple(ResponseRecord(f"/{n} of {endpoint}", NOW, 200, "", "x") for n in range(30))

    def close(self) -> None:
        """Nothing is open."""


async def answers(*, broken: bool, keys: Sequence[str] = ()) -> str:
    console = Console(
        Store(),
        clock=boards.clock,
        settings=boards.settings(),
        open_source=lambda: Source(broken=broken),
    )
    async with console.run_test(size=(80, 24)) as pilot:
        console.post_message(BoardUpdated(boards.snapshot()))
        console.post_message(ModelOpened("churn"))
        await pilot.pause()
        await pilot.press("x")
        await pilot.pause()
        await console.workers.wait_for_complete()
        await pilot.pause()
        assert isinstance(console.screen, ResponsesScreen)
        await pilot.press(*keys)
        await pilot.pause()
        text = "\n".join(strip.text for strip in console.screen._compositor.render_strips())
        await pilot.press("escape")
        assert not isinstance(console.screen, ResponsesScreen)
        return text


@pytest.mark.parametrize(
    ("keys", "first"),
    [
        pytest.param((), "/0 of churn", id="at first"),
        pytest.param(("down",) * 3, "/1 of churn", id="a line is a line"),
        pytest.param(("pagedown", "pageup"), "/0 of churn", id="there and back"),
        pytest.param(("up",), "/0 of churn", id="not over the top"),
    ],
)
async def test_the_answers_of_a_model_can_be_read_through(keys: Sequence[str], first: str) -> None:
    text = await answers(broken=False, keys=keys)
    assert "answers of churn" in text
    assert next(line for line in text.splitlines() if " of churn" in line and "answers" not in line)
    assert first in next(line for line in text.splitlines() if line.startswith(" /"))


async def test_a_store_that_cannot_be_read_is_said() -> None:
    assert "metrics.db is damaged" in await answers(broken=True)
