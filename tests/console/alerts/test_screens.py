"""The alerts: how they are listed, what their keys do, and what takes that back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from console import active_alerts as alerted
from console import boards
from console.active_alerts import MINUTE, alerts, raised, taken
from console.boards import NOW
from store.alerts.made import end, fire
from store.stores import ANNA, state_only
from watchdeck.actions.actor import Actor
from watchdeck.actions.requests import parse_arguments
from watchdeck.console.alerts.detail_lines import alert_lines, charted_signal, history_rows
from watchdeck.console.alerts.detail_screen import AlertScreen
from watchdeck.console.alerts.list_lines import (
    AlertGroup,
    alert_columns,
    external_sources_line,
    reason_words,
    row_key,
    sort_alerts,
    state_counts,
    state_span,
    worst_alert,
)
from watchdeck.console.alerts.list_panel import AlertList
from watchdeck.console.app import Console
from watchdeck.console.lines.line import DotStyle
from watchdeck.console.lines.table import fit_columns
from watchdeck.console.models.detail_screen import DetailScreen
from watchdeck.console.overview.lines import urgent_alert_lines
from watchdeck.console.state.messages import BoardUpdated
from watchdeck.console.state.services import Services
from watchdeck.domain.alerts.alert import ActiveAlert, AlertState, EndReason, Mute, MuteKind
from watchdeck.domain.board.filter import EVERYTHING, parse
from watchdeck.domain.board.filter_fields import ALERTS, filter_alerts
from watchdeck.domain.external.source import ExternalSource, SourceProtocol
from watchdeck.store.alerts.acknowledgements import (
    read_acknowledgements,
    read_feedback,
    read_known_issues,
    read_notes,
    read_silences,
)
from watchdeck.store.alerts.active import read_active_alerts
from watchdeck.store.files.connection import open_readonly, open_writable
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.reader import Reader


def listed(found: tuple[ActiveAlert, ...], typed: str = "", folded: str = "") -> list[str]:
    wanted = parse(typed, ALERTS) if typed else EVERYTHING
    chosen = filter_alerts(found, wanted, (), NOW)
    return [row_key(row) for row in sort_alerts(chosen, frozenset({folded}))]


def test_what_nobody_has_comes_first_then_the_worst_then_the_oldest() -> None:
    assert listed(alerts()) == [
        "episode 4",
        "group risk",
        *("episode 22", "episode 21", "episode 20", "episode 12", "episode 7", "episode 30"),
        *("episode 3", "episode 9", "episode 50"),
    ]


def test_a_folded_group_is_one_row_that_stands_for_all_of_its_alerts() -> None:
    rows = sort_alerts(alerts(), frozenset({"risk"}))
    groups = [row for row in rows if isinstance(row, AlertGroup)]
    assert len(rows) == 8
    assert [len(group.members) for group in groups] == [3]


def test_a_group_tells_once_what_all_of_its_alerts_share() -> None:
    one, other = (
        replace(a, alert=replace(a.alert, labels={"owner": "risk", "kind": "vllm", "zone": zone}))
        for a, zone in ((raised(1), "a"), (raised(2), "b"))
    )
    assert AlertGroup("risk", (one, other)).shared == "kind=vllm"


def test_a_filter_leaves_others_out() -> None:
    assert listed(alerts(), "sev<=1") == ["episode 4", "episode 30"]
    assert listed(alerts(), "muted") == ["episode 9"]


def test_the_worst_alert_is_one_that_somebody_should_take() -> None:
    first = worst_alert(alerts())
    assert first is not None
    assert first.episode.id == 4
    assert worst_alert((taken(raised(1)),)) is None
    assert worst_alert(()) is None


def test_the_muted_alerts_are_always_counted() -> None:
    assert str(state_counts(alerts())).startswith(" ▲ 4 firing  1 muted  ? 1 no data ")
    assert str(state_counts(())) == " 0 muted "


def test_a_state_is_told_by_number_shape_and_word() -> None:
    assert [state_span(one).text for one in alerts()[:7]] == [
        "2 ▲ FIRING",
        "1 ✓ ACKED",
        "1 ? NO DATA",
        "3 ∞ FLAPPING",
        "3 · MUTED",
        "4 … PENDING",
        "3 ● RESOLVED",
    ]


def test_the_deck_shows_the_most_urgent_and_counts_all() -> None:
    spans, lines = urgent_alert_lines(alerts(), NOW, 80, 2)
    assert "4 firing" in "".join(span.text for span in spans)
    assert [str(line)[:36] for line in lines] == [
        " 1 ? NO DATA  search-ranker       4m",
        " 2 ▲ FIRING   risk-c             22m",
    ]


def test_the_deck_and_the_list_tell_the_same_age() -> None:
    fired = raised(3, started_at=NOW - 9 * MINUTE)
    _, (line,) = urgent_alert_lines([fired], NOW, 80, 1)
    age = next(column for column in alert_columns(DotStyle.BRAILLE, 120) if column.name == "age")
    assert age.cell(fired, NOW).text == "3m"
    assert " 3m " in str(line)


def test_a_muted_alert_tells_who_wanted_that_what_for_and_for_how_long() -> None:
    mute = Mute(MuteKind.SILENCE, "3", NOW + 60 * MINUTE, "anna: a deploy")
    shown = alert_lines(replace(raised(12), mutes=(mute,)), None, NOW, 90, boards.settings().zone)
    assert " nobody is told: silence 3 for 1h more, anna: a deploy" in [str(one) for one in shown]


def test_what_a_person_ended_says_so_and_an_old_alert_its_date() -> None:
    over = raised(12, ended_at=NOW, condition=AlertState.OK, end_reason=EndReason.MANUAL)
    assert reason_words(over).startswith("ended by hand; ")
    shown = alert_lines(raised(3 * 24 * 60), None, NOW, 90, boards.settings().zone)
    assert "since Nov 20 05:00 (3d)" in str(shown[0])


def test_an_alert_tells_its_state_reason_and_rule_and_what_is_known_first() -> None:
    zone = boards.settings().zone
    shown = alert_lines(alerted.pinned(taken(raised(12))), alerted.story(), NOW, 90, zone)
    assert [str(line) for line in shown] == [
        " known: the vendor is told",
        " 2 ✓ ACKED  latency-slow of fraud-detector  since 04:48 (12m)  anna 25m left",
        " known: the vendor is told; latency_p95 412 ms > 200 ms for 5m",
        " latency_p95 > slo for 5m  runbook: https://wiki.internal/latency  model=fraud-detector",
    ]


def test_a_story_is_told_newest_first_and_then_what_was_before() -> None:
    told = history_rows(alerted.story(), alerts(), (alerted.deploy(),))
    assert [(entry.kind, entry.words) for entry in told] == [
        ("note", "rolled back to 2.0"),
        ("acknowledged", "for 26m"),
        ("fired", "latency_p95 412 ms > 200 ms for 5m"),
        ("pending", "latency_p95 412 ms > 200 ms for 5m"),
        ("changed", "deploy: version 2.0 → 2.1"),
        ("earlier", "for 20m: latency_p95 412 ms > 200 ms for 5m"),
        ("  its note", "the cache was cold"),
    ]


def test_the_chart_is_of_the_signal_that_the_rule_names() -> None:
    assert charted_signal(alerted.story()) == "latency_p95"
    away = {"when": "down", "tells_of_trouble": True}
    assert charted_signal(replace(alerted.story(), rule=away)) == "up"
    assert charted_signal(replace(alerted.story(), rule={})) is None


def test_other_systems_tell_when_they_were_heard_and_what_is_wrong() -> None:
    sources = (
        ExternalSource("am", SourceProtocol.LIST, heard_at=NOW - MINUTE),
        ExternalSource("prom", SourceProtocol.POST),
        ExternalSource("bad", SourceProtocol.LIST, heard_at=NOW, problem="answered 401"),
    )
    assert [span.text for span in external_sources_line(sources, NOW)] == [
        "  am heard 1m ago",
        "  prom heard never",
        "  bad answered 401",
    ]


@pytest.mark.parametrize(
    ("text", "matchers", "length", "words"),
    [
        pytest.param("model=a 2h a deploy", ["model=a"], 7_200_000, "a deploy", id="all of it"),
        pytest.param("2h model=a b=c x", ["model=a", "b=c"], 7_200_000, "x", id="in any order"),
        pytest.param("a deploy 2h", [], None, "a deploy 2h", id="words end what is read"),
        pytest.param("5m 6m x", [], 300_000, "6m x", id="one time"),
        pytest.param(
            r'model="say \"hi\"" 2h it said "hi"',
            [r'model="say \"hi\""'],
            7_200_000,
            'it said "hi"',
            id="blanks and quotes between quotes",
        ),
        pytest.param('"a b"=c 2h x', ['"a b"=c'], 7_200_000, "x", id="a name between quotes"),
        pytest.param('2h so"> said=he "x', [], 7_200_000, 'so"> said=he "x', id="a lone quote"),
        pytest.param('a="b 2h x', [], None, 'a="b 2h x', id="a quote that is not closed"),
        pytest.param("", [], None, "", id="nothing"),
    ],
)
def test_what_is_typed_after_a_verb(
    text: str, matchers: list[str], length: int | None, words: str
) -> None:
    said = parse_arguments(text)
    assert ([str(one) for one in said.matchers], said.length, said.words) == (
        matchers,
        length,
        words,
    )


@dataclass
class Bench:
    """A console on a real store, and hands at its keys."""

    console: Console
    pilot: Pilot[None]
    store: StoreDirectory

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def settle(self) -> None:
        await self.console.workers.wait_for_complete()
        for _ in range(3):
            await self.pilot.pause()

    async def type(self, text: str) -> None:
        names = {" ": "space", "=": "equals_sign", ":": "colon", "-": "minus"}
        names |= {"~": "tilde", "+": "plus", ".": "full_stop"}
        await self.press(*(names.get(letter, letter) for letter in text), "enter")

    async def look(self) -> None:
        """Have the console see what the store holds."""
        with closing(open_readonly(self.store.state)) as db:
            found = read_active_alerts(db, None, NOW)
        made = replace(boards.board(boards.small_fleet()), alerts=found, state_at=len(found))
        self.console.post_message(BoardUpdated(boards.snapshot(made)))
        await self.settle()

    def text(self) -> str:
        strips = self.console.screen._compositor.render_strips()
        return "\n".join(strip.text for strip in strips)


@asynccontextmanager
async def bench(path: Path, *models: str, read_only: bool = False) -> AsyncIterator[Bench]:
    store = state_only(path / "store")
    with closing(open_writable(store.state)) as db:
        for place, model in enumerate(models):
            fire(db, model=model, at=NOW - (9 - place) * MINUTE)
    settings = replace(boards.settings(), read_only=read_only)
    console = Console(
        store,
        clock=boards.clock,
        settings=settings,
        services=Services(actor=None if read_only else Actor(store, ANNA)),
    )
    async with console.run_test(size=(120, 40)) as pilot:
        made = Bench(console, pilot, store)
        await made.look()
        yield made


def owners(store: StoreDirectory) -> dict[int, str]:
    with closing(open_readonly(store.state)) as db:
        return {number: ack.by for number, ack in read_acknowledgements(db).items()}


async def test_two_keys_from_the_first_screen_take_the_worst_alert_and_one_gives_it_back(
    tmp_path: Path,
) -> None:
    async with bench(tmp_path, "fraud", "churn") as at:
        await at.press("3", "a")
        assert owners(at.store) == {1: "anna"}
        assert "you have slow of fraud for 2h; u takes it back (10 s)" in at.text()
        await at.press("u")
        assert owners(at.store) == {}
        assert "taken back" in at.text()
        await at.press("u")
        assert "nothing was done here that can be taken back" in at.text()


async def test_one_key_on_the_deck_takes_what_its_first_line_shows(tmp_path: Path) -> None:
    async with bench(tmp_path, "fraud") as at:
        await at.press("a")
        await at.look()
        assert owners(at.store) == {1: "anna"}
        await at.press("a")
        assert "there is nothing to do" in at.text()


async def test_marked_alerts_are_taken_together(tmp_path: Path) -> None:
    async with bench(tmp_path, "fraud", "churn", "chat") as at:
        await at.press("3", "V")
        assert "alerts  3  3 marked" in at.text()
        await at.press("a")
        assert len(owners(at.store)) == 3


async def test_a_silence_begins_with_the_labels_of_the_alert_and_tells_what_it_hides(
    tmp_path: Path,
) -> None:
    async with bench(tmp_path, "fraud") as at:
        await at.press("3", "s")
        assert ":silence rule=slow model=fraud 2h" in at.text()
        assert "hides 1 open alert" in at.text()
        await at.type("a deploy")
        assert "silence 1 hides 1 open alert for 2h" in at.text()
        with closing(open_readonly(at.store.state)) as db:
            assert [one.reason for one in read_silences(db, NOW)] == ["a deploy"]


async def test_a_name_with_quotes_and_blanks_is_silenced_and_pinned(tmp_path: Path) -> None:
    async with bench(tmp_path, 'say "hi"') as at:
        await at.press("3", "s")
        assert r':silence rule=slow model="say \"hi\"" 2h' in at.text()
        await at.type("a deploy")
        assert "silence 1 hides 1 open alert for 2h" in at.text()
        await at.press("P")
        await at.type("it says so")
        with closing(open_readonly(at.store.state)) as db:
            assert [one.model for one in read_known_issues(db, NOW)] == ['say "hi"']


async def test_a_silence_of_everything_is_refused_in_the_console_too(tmp_path: Path) -> None:
    async with bench(tmp_path, "fraud", "churn") as at:
        await at.press("3", "colon")
        await at.type("silence model=~.+ 2h peace")
        assert "it would hide nearly every alert: 2 of 2 that are open" in at.text()
        with closing(open_readonly(at.store.state)) as db:
            assert not read_silences(db, NOW)


async def test_notes_pins_and_resolves_are_typed(tmp_path: Path) -> None:
    async with bench(tmp_path, "fraud") as at:
        await at.press("3", "n")
        await at.type("rolled back")
        await at.press("P")
        await at.type("the vendor knows")
        await at.press("R")
        await at.type("over")
        with closing(open_readonly(at.store.state)) as db:
            assert [one.text for one in read_notes(db, 1)] == ["rolled back"]
            assert [one.text for one in read_known_issues(db, NOW)] == ["the vendor knows"]
            ((found),) = read_active_alerts(db, None, NOW)
        assert not found.episode.is_open


async def test_what_an_alert_was_worth_takes_one_key_when_it_is_over(tmp_path: Path) -> None:
    async with bench(tmp_path, "fraud") as at:
        await at.press("3", "plus")
        assert "it is still open" in at.text()
        with closing(open_writable(at.store.state)) as db:
            ((found),) = read_active_alerts(db, None, NOW)
            end(db, found.episode, NOW)
        await at.look()
        await at.press("minus")
        with closing(open_readonly(at.store.state)) as db:
            assert read_feedback(db, 0)[1].value == "noise"


async def test_what_marked_alerts_were_worth_is_told_of_those_that_are_over(
    tmp_path: Path,
) -> None:
    async with bench(tmp_path, "fraud", "churn") as at:
        with closing(open_writable(at.store.state)) as db:
            found = read_active_alerts(db, None, NOW)
            end(db, found[0].episode, NOW)
        await at.look()
        await at.press("3", "V", "minus")
        assert "slow of fraud was noise; 1 not" in at.text()
        with closing(open_readonly(at.store.state)) as db:
            assert list(read_feedback(db, 0)) == [1]


async def test_a_key_that_did_nothing_leaves_the_deed_before_to_be_taken_back(
    tmp_path: Path,
) -> None:
    async with bench(tmp_path, "fraud") as at:
        await at.press("3", "a", "a")
        assert "you have it already" in at.text()
        await at.press("u")
        assert owners(at.store) == {}


async def test_a_read_only_console_does_nothing_and_says_so(tmp_path: Path) -> None:
    async with bench(tmp_path, "fraud", read_only=True) as at:
        await at.press("3", "a")
        assert "read-only: nothing is done to alerts from it" in at.text()
        assert owners(at.store) == {}


async def test_nothing_is_done_to_the_past(tmp_path: Path) -> None:
    async with bench(tmp_path, "fraud") as at:
        with closing(open_readonly(at.store.state)) as db:
            found = read_active_alerts(db, None, NOW)
        past = replace(boards.board(()), alerts=found, live=False, at=NOW - MINUTE)
        at.console.post_message(BoardUpdated(boards.snapshot(past)))
        await at.press("3", "a")
        assert "this is the past" in at.text()
        assert owners(at.store) == {}


async def test_an_alert_opens_with_its_story_and_its_model_opens_from_there(
    tmp_path: Path,
) -> None:
    async with bench(tmp_path, "fraud-detector") as at:
        await at.press("3", "enter")
        screen = at.console.screen
        assert isinstance(screen, AlertScreen)
        with closing(Reader(at.store)) as reader:
            screen.show_history(reader.alert_history(1, NOW))
        await at.settle()
        assert "fired" in at.text()
        await at.press("a")
        assert owners(at.store) == {1: "anna"}
        await at.press("m")
        assert isinstance(at.console.screen, DetailScreen)
        await at.press("escape", "escape")
        assert at.console.screen.query(AlertList)


async def test_the_list_follows_a_filter_and_says_where_it_is_wrong(tmp_path: Path) -> None:
    async with bench(tmp_path, "fraud", "churn") as at:
        await at.press("3", "slash", *"model", "equals_sign", *"churn")
        assert "1 of 2" in at.text()
        await at.press("enter")
        assert at.console.screen.query_one(AlertList).rows.table.keys == ("episode 2",)
        await at.press("slash", "space", *"p95", "greater_than_sign")
        assert "after p95> a value is missing" in at.text()
        await at.press("escape")
        assert len(at.console.screen.query_one(AlertList).rows.table.keys) == 2


async def test_enter_folds_a_group_and_unfolds_it() -> None:
    console = Console(boards.Store(), clock=boards.clock, settings=boards.settings())
    async with console.run_test(size=(120, 40)) as pilot:
        made = alerted.alerted(boards.board(boards.small_fleet()))
        console.post_message(BoardUpdated(boards.snapshot(made)))
        await pilot.pause()
        await pilot.press("3", "down", "enter")
        alerts = console.screen.query_one(AlertList)
        assert "group risk" in alerts.rows.table.keys
        assert len(alerts.rows.table.keys) == 8
        alerts.fold("risk")
        assert len(alerts.rows.table.keys) == 11


async def test_a_key_pressed_twice_is_not_for_the_alert_that_moved_up(tmp_path: Path) -> None:
    async with bench(tmp_path, "fraud", "churn") as at:
        await at.press("3", "a")
        await at.look()
        await at.press("a")
        assert owners(at.store) == {1: "anna"}
        assert "you have it already" in at.text()


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        pytest.param(
            80, ["state", "rule", "model", "age", "who", "why"], id="who before the strip"
        ),
        pytest.param(
            160, ["state", "rule", "model", "age", "who", "hours", "why"], id="room for all"
        ),
    ],
)
def test_what_there_is_room_for(cells: int, shown: list[str]) -> None:
    found, _ = fit_columns(alert_columns(DotStyle.BRAILLE, cells), cells, alerts())
    assert [column.name for column in found] == shown
