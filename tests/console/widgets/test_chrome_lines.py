from datetime import UTC

from msgspec.structs import replace

from console import boards
from watchdeck.console.input.keys import MODES, KeyScope
from watchdeck.console.input.keys import footer as footer_keys
from watchdeck.console.input.time_cursor import PastOffset
from watchdeck.console.lines.line import Line, Role, Span, width
from watchdeck.console.lines.panel_header import DataAge, header_line, panel_lines
from watchdeck.console.overview.collector_lines import collector_lines
from watchdeck.console.state.board_source import BoardProblem, BoardSnapshot, stale_reason
from watchdeck.console.widgets.chrome_lines import (
    StatusBarState,
    banner_lines,
    footer_line,
    too_small_lines,
    top_line,
)
from watchdeck.domain.board.board import Collector, CollectorState

STORE = "/home/ops/.local/state/watchdeck"
SITUATION = StatusBarState("deck", MODES, STORE, UTC)


def top(sight: BoardSnapshot, cells: int = 80, where: StatusBarState = SITUATION) -> str:
    drawn = str(top_line(sight, where, boards.NOW, cells))
    assert width(drawn) == cells
    return " ".join(drawn.split())


def said(sight: BoardSnapshot, notice: str = "") -> list[str]:
    return [str(line).strip() for line in banner_lines(sight, notice, UTC, 80)]


def with_collector(collector: Collector) -> BoardSnapshot:
    return boards.snapshot(boards.board(collector=collector))


def test_the_top_line_tells_mode_data_age_collector_and_clock() -> None:
    expected = "watchdeck 1 deck 2 models 3 alerts data <5s collector ● running 05:00 UTC"
    assert top(boards.snapshot(), 92) == expected


def test_where_there_is_no_room_for_all_names_the_mode_in_view_keeps_its_own() -> None:
    expected = "watchdeck 1 deck 2 3 …e/watchdeck data <5s collector ● running 05:00 UTC"
    assert top(boards.snapshot(), 80) == expected


def test_the_path_of_the_store_gives_way_first() -> None:
    assert STORE in top(boards.snapshot(), 120)
    assert "…ocal/state/watchdeck data" in top(boards.snapshot(), 103)
    assert "watchdeck " in top(boards.snapshot(), 60)


def test_the_mode_in_view_is_marked() -> None:
    drawn = top_line(boards.snapshot(), SITUATION, boards.NOW, 80)
    assert [span.text.strip() for span in drawn.spans if span.role is Role.TITLE] == ["1 deck"]


def test_a_read_only_console_says_so() -> None:
    read_only = StatusBarState("deck", MODES, STORE, UTC, read_only=True)
    assert "read-only" in top(boards.snapshot(), 80, read_only)


def test_before_the_first_board_nothing_is_claimed() -> None:
    assert "data – collector –" in top(BoardSnapshot())  # noqa: RUF001 - the dash on the screen
    assert said(BoardSnapshot()) == []


def test_a_collector_that_cannot_be_seen_is_not_called_running() -> None:
    broken = BoardSnapshot(boards.board(), BoardProblem.BROKEN, "the store is locked")
    assert "collector –" in top(broken)  # noqa: RUF001
    assert said(broken) == ["✖ the store is locked"]


def test_the_past_cannot_be_missed() -> None:
    past = boards.snapshot(boards.board(live=False))
    assert top(past).endswith("PAST Nov 23 05:00:00 UTC")
    assert said(past) == ["◆ PAST: all is as it was at 2026-11-23 05:00:00 UTC; L is live"]
    lines = (top_line(past, SITUATION, boards.NOW, 80), *banner_lines(past, "a notice", UTC, 80))
    assert all(line.inverted for line in lines)
    assert not top_line(boards.snapshot(), SITUATION, boards.NOW, 80).inverted
    assert stale_reason(past) == ""


def test_the_past_tells_how_long_ago_it_is_and_how_fast_it_runs() -> None:
    past = boards.snapshot(boards.board(live=False))
    standing = replace(SITUATION, past=PastOffset(7_200_000))
    assert top(past, 80, standing).endswith("PAST Nov 23 05:00:00 UTC 2h ago ||")
    running = replace(SITUATION, past=PastOffset(7_200_000, 15))
    assert top(past, 80, running).endswith("2h ago > 15x")


def test_a_stopped_a_blind_and_a_full_collector_are_said_plainly() -> None:
    assert said(with_collector(Collector(CollectorState.STOPPED))) == ["✖ no collector is running"]
    blind = boards.collector(blind="50 of 50 failed: dns", storing="the disk is full")
    assert said(with_collector(blind)) == [
        "▲ the collector is blind: 50 of 50 failed: dns",
        "▲ store: the disk is full",
    ]
    unheard = boards.collector(outside="hook: 503 Service Unavailable")
    assert said(with_collector(unheard)) == ["▲ hook: 503 Service Unavailable"]


def test_preparing_is_no_alarm() -> None:
    words = "preparing the store (collector, pid 7)"
    lines = banner_lines(BoardSnapshot(None, BoardProblem.PREPARING, words), "", UTC, 80)
    assert [str(line).strip() for line in lines] == [f"… {words}"]
    assert {span.role for line in lines for span in line.spans} <= {Role.TEXT, Role.WARNING}


def test_a_notice_stands_under_what_is_wrong() -> None:
    assert said(boards.snapshot(), "started a collector") == ["→ started a collector"]


def test_a_notice_of_several_lines_is_told_as_sentences() -> None:
    assert said(boards.snapshot(), "No colour.\nNo ground.") == ["→ No colour. No ground."]


def test_the_collector_tells_its_pace_and_its_losses() -> None:
    lines = collector_lines(boards.collector(dropped=3), boards.NOW, 80)
    assert [str(line) for line in lines] == [
        " ● running  pid 4711  version 0.1.0  up 3h 5m  tick just now  lag 3.1 ms",
        " scrape p50 12 ms  p95 84 ms  in flight 1  endpoints 8  scrapes 8.88 k",
        " samples 4.1 M  failed 12  cut 0  overrun 0  queued 2  dropped 3",
    ]
    warned = {span.text for line in lines for span in line.spans if span.role is Role.WARNING}
    assert warned == {"12", "3"}


def test_a_late_collector_and_one_that_never_was() -> None:
    late = collector_lines(boards.collector(lag=4.0, scrape_p50=None), boards.NOW, 80)
    assert Span("4 s", Role.WARNING) in late[0].spans
    assert "p50 –" in str(late[1])  # noqa: RUF001
    never = collector_lines(Collector(CollectorState.STOPPED), boards.NOW, 80)
    assert str(never[0]) == " ✖ stopped  never seen on this store"
    past = collector_lines(Collector(CollectorState.RUNNING), boards.NOW, 80)
    assert str(past[0]) == " ● running  its own figures of then were not kept"


def test_what_keeps_the_collector_from_working_stands_over_its_figures() -> None:
    troubled = boards.collector(blind="dns", storing="disk full", outside="hook: 503")
    lines = collector_lines(troubled, boards.NOW, 80)
    assert [str(line) for line in lines[:3]] == [
        " ▲ blind: dns",
        " ▲ store: disk full",
        " ▲ hook: 503",
    ]


def test_a_panel_tells_the_age_of_its_data_and_why_it_is_stale() -> None:
    fresh = header_line("fleet", (), DataAge(boards.NOW - 7_000, boards.NOW), 41)
    assert str(fresh) == "── fleet ────────────────────── 5s ago ──"
    doubtful = DataAge(boards.NOW - 120_000, boards.NOW, "no collector is running")
    lines = panel_lines("fleet", (), doubtful, (Line((Span("● ok", Role.OK),)),), 60)
    assert "2m ago: no collector is running" in str(lines[0])
    assert lines[1].spans[0].role is Role.MUTED


def test_the_footer_shows_as_many_keys_as_there_is_room() -> None:
    keys = footer_keys(KeyScope.DECK)
    assert (
        " ".join(str(footer_line(keys, 80)).split())
        == "Enter open a ack s sort / filter ? help Q quit"
    )
    assert width(str(footer_line(keys, 20))) <= 20


def test_the_page_for_a_small_terminal_names_the_size() -> None:
    said = [str(line) for line in too_small_lines(40, 10, (60, 16), "F9")]
    assert said == ["watchdeck needs 60x16", "this is 40x10", "F9 quits"]
