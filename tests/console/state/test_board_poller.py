import queue
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from console import boards
from console.boards import Store
from watchdeck.console.state.board_poller import DEFECT, MAX_BOARD_AGE, BoardPoller
from watchdeck.console.state.board_source import (
    BoardProblem,
    BoardQuery,
    BoardSnapshot,
    BoardSource,
    read_board,
    stale_reason,
)
from watchdeck.domain.board.board import Board, Collector, CollectorState, History
from watchdeck.errors import StoreBehind, StoreCorrupt, StoreError, StoreMissing, StoreTooNew


class Source(boards.Uneventful):
    """Answers with what it was told to, one answer a read; the last one stays."""

    def __init__(self, *answers: Board | Exception) -> None:
        self.answers = list(answers)
        self.news = False
        self.reads = 0
        self.closed = False

    def has_changed(self) -> bool:
        news, self.news = self.news, False
        return news

    def board(self, now: int, at: int | None = None) -> Board:
        self.reads += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return replace(answer, at=at or now)

    def history(self, *_: object) -> tuple[History, ...]:
        return ()

    def close(self) -> None:
        self.closed = True


class Clock:
    def __init__(self) -> None:
        self.now = boards.NOW

    def __call__(self) -> int:
        return self.now


class Watching:
    """A watch that runs, and all that it saw."""

    def __init__(self, source: Source, at: int | None = None) -> None:
        self.source = source
        self.clock = Clock()
        self.seen: queue.Queue[BoardSnapshot] = queue.Queue()
        self.watch = BoardPoller(lambda: source, BoardQuery(Store(), at), self.clock, self.seen.put)
        self.watch.start()

    def next(self) -> BoardSnapshot:
        return self.seen.get(timeout=5)


@pytest.fixture
def watching() -> Iterator[list[Watching]]:
    started: list[Watching] = []
    yield started
    for one in started:
        one.watch.stop()
        assert one.source.closed
        assert not one.watch.is_alive()


def test_a_board_is_read_at_once_and_then_only_when_the_store_changed(
    watching: list[Watching],
) -> None:
    one = Watching(Source(boards.board()))
    watching.append(one)
    assert one.next().board is not None
    one.source.news = True
    assert one.next().trouble is BoardProblem.NONE
    assert one.source.reads == 2


def test_silence_is_news_after_a_while(watching: list[Watching]) -> None:
    one = Watching(Source(boards.board()))
    watching.append(one)
    one.next()
    one.clock.now += MAX_BOARD_AGE
    sight = one.next()
    assert sight.board is not None
    assert sight.board.at == boards.NOW + MAX_BOARD_AGE


def test_a_store_that_cannot_be_read_keeps_the_last_board_and_is_tried_again(
    watching: list[Watching],
) -> None:
    one = Watching(Source(boards.board(), StoreCorrupt("metrics.db is damaged."), boards.board()))
    watching.append(one)
    one.next()
    one.source.news = True
    broken = one.next()
    assert broken.board is not None
    assert (broken.trouble, broken.words) == (BoardProblem.BROKEN, "metrics.db is damaged.")
    one.clock.now += 500
    assert one.next().trouble is BoardProblem.NONE


def test_a_moment_of_the_past_is_read_once(watching: list[Watching]) -> None:
    one = Watching(Source(boards.board()), at=boards.NOW - 60_000)
    watching.append(one)
    sight = one.next()
    assert sight.board is not None
    assert sight.board.at == boards.NOW - 60_000
    one.source.news = True
    one.watch.stop()
    assert one.seen.empty()
    assert one.source.reads == 1


class Slow(Source):
    """Waits with every board until it is let go."""

    def __init__(self) -> None:
        super().__init__(boards.board())
        self.asked: queue.Queue[int | None] = queue.Queue()
        self.go: queue.Queue[None] = queue.Queue()

    def board(self, now: int, at: int | None = None) -> Board:
        self.asked.put(at)
        self.go.get(timeout=5)
        return replace(super().board(now, at), live=at is None)


def test_of_moments_that_were_overtaken_only_the_newest_is_read(watching: list[Watching]) -> None:
    source = Slow()
    one = Watching(source, at=1_000)
    watching.append(one)
    assert source.asked.get(timeout=5) == 1_000
    for moment in (2_000, 3_000, 4_000):
        one.watch.show_moment(moment)
    source.go.put(None)
    source.go.put(None)
    assert [_at(one.next()), _at(one.next())] == [1_000, 4_000]
    assert [source.asked.get(timeout=5)] == [4_000]
    assert source.asked.empty()


def test_the_past_is_not_shown_once_now_is_asked_for(watching: list[Watching]) -> None:
    source = Slow()
    one = Watching(source, at=1_000)
    watching.append(one)
    assert source.asked.get(timeout=5) == 1_000
    one.watch.show_moment(None)
    source.go.put(None)
    source.go.put(None)
    assert _at(one.next()) == boards.NOW


def _at(sight: BoardSnapshot) -> int:
    assert sight.board is not None
    return sight.board.at


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_board_that_nobody_renews_never_looks_alive(watching: list[Watching]) -> None:
    one = Watching(Source(boards.board(), RuntimeError("a defect")))
    watching.append(one)
    one.next()
    one.source.news = True
    last = one.next()
    assert last.board is not None
    assert (last.trouble, last.words) == (BoardProblem.BROKEN, DEFECT)


NO_SIGHT = BoardSnapshot()


@pytest.mark.parametrize("error", [StoreMissing("nothing in /srv."), StoreBehind("version 1.")])
def test_a_store_that_is_being_made_is_no_failure(error: StoreError) -> None:
    source: BoardSource = Source(error)
    sight = read_board(source, BoardQuery(Store(holder=4711)), boards.NOW, NO_SIGHT)
    expected = (BoardProblem.PREPARING, "preparing the store (collector, pid 4711)")
    assert (sight.trouble, sight.words) == expected


def test_without_a_collector_a_missing_store_says_that_nobody_makes_one() -> None:
    view = BoardQuery(Store())
    sight = read_board(Source(StoreMissing("nothing in /srv.")), view, boards.NOW, NO_SIGHT)
    expected = "nothing in /srv. No collector is running."
    assert (sight.trouble, sight.words) == (BoardProblem.BROKEN, expected)


@pytest.mark.parametrize(
    "view", [BoardQuery(Store(), None, boards.NOW + 1), BoardQuery(Store(holder=0))]
)
def test_a_collector_that_was_only_just_started_is_waited_for(view: BoardQuery) -> None:
    sight = read_board(Source(StoreMissing("nothing in /srv.")), view, boards.NOW, NO_SIGHT)
    assert (sight.trouble, sight.words) == (BoardProblem.PREPARING, "preparing the store")


def test_a_newer_store_is_said_as_it_says_it() -> None:
    view = BoardQuery(Store(holder=1))
    sight = read_board(Source(StoreTooNew("version 9 > 3.")), view, boards.NOW, NO_SIGHT)
    assert sight.words == "version 9 > 3."
    assert stale_reason(sight) == "version 9 > 3."


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (CollectorState.RUNNING, ""),
        (CollectorState.STALLED, "the collector is stalled"),
        (CollectorState.STOPPED, "no collector is running"),
    ],
)
def test_what_is_shown_is_stale_when_nobody_collects(state: CollectorState, expected: str) -> None:
    assert stale_reason(boards.snapshot(boards.board(collector=Collector(state)))) == expected


def test_what_is_shown_is_stale_while_nothing_is_judged() -> None:
    unjudged = boards.collector(judging="state.db is locked")
    assert stale_reason(boards.snapshot(boards.board(collector=unjudged))) == "nothing is judged"
