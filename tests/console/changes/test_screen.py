"""What changed in the half hour before: the fleet's markers and healths, seen from one model."""

from msgspec.structs import replace

from console import boards
from console.active_alerts import alerts
from console.test_screens import Shown, shown
from watchdeck.console.changes.lines import (
    LOOKBACK,
    ChangeEvent,
    change_events,
    event_rows,
    reason_lines,
    relation_of,
)
from watchdeck.console.changes.screen import RecentChangesScreen
from watchdeck.console.lines.line import Role
from watchdeck.console.models.detail_screen import DetailScreen
from watchdeck.console.state.queries import FleetChanges
from watchdeck.domain.board.board import Change, Health, HealthChange
from watchdeck.domain.settings.endpoint import Resource

NOW = boards.NOW
MINUTE = 60_000
START = NOW - LOOKBACK
DEPLOY = Change(1, "features", NOW - 5 * MINUTE, "deploy", "version 3 → 4", "collector")
FRAUD, *_ = boards.small_fleet()


def turn(minutes: int, health: Health, why: str = "") -> HealthChange:
    return HealthChange("fraud-detector", NOW - minutes * MINUTE, health, "cause", why)


def told(*turns: HealthChange) -> list[str]:
    return [
        f"{one.what} {one.words}" for one in change_events([], {"fraud-detector": turns}, START)
    ]


def test_markers_and_healths_stand_together_the_newest_first() -> None:
    turns = (turn(90, Health.OK), turn(4, Health.CRITICAL, "slow"))
    found = change_events([DEPLOY], {"fraud-detector": turns}, START)
    assert [(one.endpoint, one.what, one.words) for one in found] == [
        ("fraud-detector", "ok → critical", "slow"),
        ("features", "deploy", "version 3 → 4"),
    ]


def test_the_health_that_was_in_force_before_is_no_event() -> None:
    assert told(turn(90, Health.DOWN, "refused")) == []


def test_another_reason_for_the_same_health_is_no_event() -> None:
    turns = (turn(90, Health.OK), turn(9, Health.WARNING, "a"), turn(8, Health.WARNING, "b"))
    assert told(*turns) == ["ok → warning a"]


def test_a_model_that_was_never_judged_before_has_a_first_health() -> None:
    assert told(turn(3, Health.OK, "ready")) == ["ok ready"]


def test_what_an_events_model_is_to_the_one_asked_about_is_said() -> None:
    needs = replace(FRAUD.facts, depends_on=("features",), resources=(Resource("gpu-7"),))
    fraud = replace(FRAUD, facts=needs)
    user = boards.model("user", seen=boards.latest("user"))
    user = replace(user, facts=replace(user.facts, depends_on=("fraud-detector",)))
    names = ("fraud-detector", "features", "gpu-7", "user", "other")
    assert [relation_of(name, fraud, (fraud, user)) for name in names] == [
        "itself",
        "it depends on this",
        "it runs on this",
        "depends on it",
        "",
    ]
    assert relation_of("features", None, ()) == ""


def test_a_row_tells_the_time_and_how_long_before_it_was() -> None:
    event = ChangeEvent(NOW - 5 * MINUTE, "features", "◆", "deploy", "", Role.ACCENT)
    (row,) = event_rows([event], NOW, boards.settings().zone, None, ())
    assert (row.clock, row.age) == ("04:55:00", "5m")


def test_why_names_every_open_alert_of_the_model() -> None:
    first, second = (str(line) for line in reason_lines(FRAUD, alerts(), NOW, 100))
    assert first == " ▲ CRITICAL  since 3m  latency_p95 412 ms > 400 ms"
    assert second == " alerts: latency-slow firing: latency_p95 412 ms > 200 ms for 5m"


def test_why_says_when_no_alert_is_open() -> None:
    model = boards.model("calm", seen=boards.latest("calm"))
    assert str(reason_lines(model, alerts(), NOW, 100)[1]) == " no alert of it is open"


def changes(at: Shown) -> RecentChangesScreen:
    assert isinstance(at.console.screen, RecentChangesScreen)
    return at.console.screen


async def test_one_key_shows_what_changed_before_the_moment_that_is_shown() -> None:
    async with shown(100, 30) as at:
        await at.board()
        await at.press("b")
        assert "changed in the 30 min before Nov 23 05:00:00" in at.lines()[1]
        assert "reading what changed" in at.text()
        screen = changes(at)
        turns = (turn(90, Health.OK), turn(4, Health.CRITICAL, "slow"))
        screen.show_changes(FleetChanges((DEPLOY,), {"fraud-detector": turns}))
        await at.settle()
        assert "◆ deploy" in at.text()
        await at.press("b", "enter")
        assert isinstance(at.console.screen, DetailScreen)
        assert at.detail.view == "fraud-detector"
        await at.press("escape", "escape")
        assert not isinstance(at.console.screen, RecentChangesScreen)


async def test_on_a_bad_model_it_is_what_changed_before_it_became_bad() -> None:
    async with shown(100, 30) as at:
        await at.board()
        await at.press("2", "down", "enter", "b")
        assert "before Nov 23 04:56:40  fraud-detector" in at.lines()[1]
        assert "no alert of it is open" in at.text()


async def test_on_a_chart_it_is_what_changed_before_the_cursor() -> None:
    async with shown(100, 30) as at:
        await at.board()
        await at.press("2", "down", "enter", *["h"] * 20, "b")
        assert "before Nov 23 04:4" in at.lines()[1]


async def test_that_nothing_changed_is_said_and_that_it_cannot_be_read_too() -> None:
    async with shown(100, 30) as at:
        await at.board()
        await at.press("b")
        changes(at).show_changes(FleetChanges())
        await at.settle()
        assert "nothing changed" in at.text()
        changes(at).show_changes(None, "state.db is damaged.")
        await at.settle()
        assert "state.db is damaged." in at.text()
