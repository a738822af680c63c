"""One picture a screen at 80x24 and 120x40, by a clock that stands still."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from console import active_alerts as alerted
from console import boards
from console.boards import NOW, Store
from console.stub import shifted
from watchdeck.config.reading.problems import Problem
from watchdeck.console.alerts.detail_screen import AlertScreen
from watchdeck.console.app import Console
from watchdeck.console.changes.screen import RecentChangesScreen
from watchdeck.console.dialogs.config_problems import ProblemsScreen
from watchdeck.console.input.time_cursor import TimeCursor
from watchdeck.console.models.detail_screen import DetailScreen
from watchdeck.console.models.responses_screen import ResponsesScreen
from watchdeck.console.state.messages import BoardUpdated
from watchdeck.console.state.queries import FleetChanges
from watchdeck.domain.board.board import Change, Health, HealthChange
from watchdeck.domain.metrics.scrape import ResponseRecord

SIZES = [pytest.param((80, 24), id="80x24"), pytest.param((120, 40), id="120x40")]

MINUTE = 60_000
DEPLOY = Change(
    1, "fraud-detector", NOW - 9 * MINUTE, "deploy", "version 1.5.2 → 1.6.0", "collector"
)
NOTE = Change(2, "night-batch", NOW - 21 * MINUTE, "note", "moved to the other rack", "anna")

PAGE = """\
# HELP model_infer_request_duration Time of a request
# TYPE model_infer_request_duration histogram
model_infer_request_duration_bucket{model="fraud",le="0.05"} 812
model_infer_request_duration_bucket{model="fraud",le="+Inf"} 1311
model_infer_request_duration_sum{model="fraud"} 398.4"""

Compare = Callable[..., bool]


def console() -> Console:
    return Console(Store(), clock=boards.clock, settings=boards.settings())


async def show(pilot: Pilot[None], *keys: str) -> None:
    pilot.app.post_message(BoardUpdated(boards.snapshot()))
    await settle(pilot)
    await pilot.press(*keys)
    await settle(pilot)


async def settle(pilot: Pilot[None]) -> None:
    for _ in range(3):
        await pilot.pause()


async def deck(pilot: Pilot[None]) -> None:
    await show(pilot)


async def models(pilot: Pilot[None]) -> None:
    await show(pilot, "2", "down")


async def detail(pilot: Pilot[None]) -> None:
    await show(pilot, "2", "down", "enter")
    await read(pilot)


async def read(pilot: Pilot[None]) -> None:
    """What the open model's chart asked for arrives."""
    screen = pilot.app.screen
    assert isinstance(screen, DetailScreen)
    assert screen._wanted is not None
    screen.show_history(screen._wanted, boards.found(screen._wanted, DEPLOY))
    await settle(pilot)


async def compared(pilot: Pilot[None]) -> None:
    await show(pilot, "2", "down", "enter", "c", *["h"] * 12)
    await read(pilot)


async def keys(pilot: Pilot[None]) -> None:
    await show(pilot, "2", "down", "enter", "question_mark")


async def palette(pilot: Pilot[None]) -> None:
    await show(pilot, "ctrl+p", *"re")


async def before(pilot: Pilot[None]) -> None:
    await show(pilot, "2", "down", "enter", "b")
    turns = (
        HealthChange("fraud-detector", NOW - 90 * MINUTE, Health.OK, "start", "ready"),
        HealthChange(
            "fraud-detector", NOW - 4 * MINUTE, Health.WARNING, "slo", "latency_p95 230 ms"
        ),
    )
    screen = pilot.app.screen
    assert isinstance(screen, RecentChangesScreen)
    screen.show_changes(FleetChanges((NOTE, DEPLOY), {"fraud-detector": turns}))
    await settle(pilot)


async def exchange(pilot: Pilot[None]) -> None:
    await show(pilot, "2", "down", "enter")
    answers = (
        ResponseRecord(
            "/metrics", NOW - 3_000, 200, "content-type: text/plain; version=0.0.4", PAGE
        ),
        ResponseRecord("/v2/health/ready", NOW - 3_000, 200, "content-length: 0", ""),
        ResponseRecord("/v2/models/fraud/ready", NOW - 3_000, None, "", "timed out after 1.5 s"),
    )
    assert isinstance(pilot.app, Console)
    state = pilot.app.view_state
    pilot.app.push_screen(ResponsesScreen(state, "models", "fraud-detector", answers))
    await settle(pilot)


async def past(pilot: Pilot[None]) -> None:
    await show(pilot)
    assert isinstance(pilot.app, Console)
    pilot.app.time_travel.move(TimeCursor(NOW - 42 * MINUTE, 5, is_playing=True))
    ago = 42 * MINUTE
    changes = (replace(NOTE, at=NOTE.at - ago), replace(DEPLOY, at=DEPLOY.at - ago))
    models = shifted(boards.small_fleet(), -ago)
    written = boards.collector(at=NOW - ago - 500)
    then = boards.board(
        models, at=NOW - ago, live=False, metrics_at=NOW - ago, changes=changes, collector=written
    )
    pilot.app.post_message(BoardUpdated(boards.snapshot(then)))
    await settle(pilot)


async def filtered(pilot: Pilot[None]) -> None:
    await show(pilot, "2", "slash", *"owner=risk p95", "greater_than_sign", *"30ms", "enter")
    await pilot.press("s", "s", "s", "v")
    await settle(pilot)


async def commanded(pilot: Pilot[None]) -> None:
    await show(pilot, "colon", *"theme", "space", *"dakr", "enter")


async def problems(pilot: Pilot[None]) -> None:
    await show(pilot)
    found = (
        Problem("endpoint[0].every", "'soon' is not a duration", "Write a number and a unit: 10s."),
        Problem("console.theme", "there is no theme 'drak'", "Did you mean 'dark'?"),
    )
    assert isinstance(pilot.app, Console)
    pilot.app.push_screen(ProblemsScreen(pilot.app.view_state, "deck", found))
    await settle(pilot)


async def alarmed(pilot: Pilot[None], *pressed: str) -> None:
    made = replace(alerted.alerted(boards.board(boards.small_fleet())), changes=(DEPLOY,))
    pilot.app.post_message(BoardUpdated(boards.snapshot(made)))
    await settle(pilot)
    await pilot.press(*pressed)
    await settle(pilot)


async def urgent(pilot: Pilot[None]) -> None:
    await alarmed(pilot)


async def alerts(pilot: Pilot[None]) -> None:
    await alarmed(pilot, "3", "down", "down", "v")


async def alert(pilot: Pilot[None]) -> None:
    await alarmed(pilot, "3", *["down"] * 5, "enter")
    screen = pilot.app.screen
    assert isinstance(screen, AlertScreen)
    screen.show_history(alerted.story())
    await settle(pilot)
    assert screen._wanted is not None
    screen.show_chart(screen._wanted, boards.found(screen._wanted, DEPLOY))
    await settle(pilot)


async def silencing(pilot: Pilot[None]) -> None:
    await alarmed(pilot, "3", *["down"] * 5, "s")


SCREENS = [
    urgent, alerts, alert, silencing,
    deck, models, detail, compared, keys, palette, before, exchange, past, filtered, commanded,
    problems,
]  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.__name__)
def test_a_screen_looks_as_it_did(
    snap_compare: Compare, screen: Callable[[Pilot[None]], object], size: tuple[int, int]
) -> None:
    assert snap_compare(console(), terminal_size=size, run_before=screen)


def test_a_terminal_that_is_too_small_looks_as_it_did(snap_compare: Compare) -> None:
    assert snap_compare(console(), terminal_size=(40, 8), run_before=deck)
