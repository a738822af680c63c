"""The lines around the panels: top line, warnings, footer, and the meter of the traffic."""

from __future__ import annotations

from datetime import tzinfo

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.console.input.time_cursor import PastOffset
from watchdeck.console.lines.line import (
    NO_VALUE,
    Background,
    Line,
    Role,
    Span,
    cut,
    justify,
    spans_width,
    untrusted_text,
    wrap,
)
from watchdeck.console.lines.relative_time import age, age_phrase, clock_time, utc_offset
from watchdeck.console.state.board_source import BoardProblem, BoardSnapshot, stale_reason
from watchdeck.console.terminal.traffic import Traffic
from watchdeck.domain.board.board import Collector, CollectorState
from watchdeck.domain.values.text import clean

_STATES = {
    CollectorState.RUNNING: ("●", Role.OK),
    CollectorState.STALLED: ("◆", Role.WARNING),
    CollectorState.STOPPED: ("✖", Role.DOWN),
}
"""Shape and role of each state of the collector."""


class StatusBarState(Struct, frozen=True):
    """What the top line shows besides the board.

    `modes` holds the key and name of each mode; `trail` is the screen opened in the mode, or "".
    """

    mode: str
    modes: tuple[tuple[str, str], ...]
    store: str
    zone: tzinfo | None = None
    read_only: bool = False
    past: PastOffset | None = None
    trail: str = ""


def top_line(snapshot: BoardSnapshot, where: StatusBarState, now: int, cells: int) -> Line:
    """The top line: name, modes, store, data age, collector, clock; or the past moment shown."""
    past = snapshot.board is not None and not snapshot.board.live
    right = (
        _past(snapshot.board.at, where)
        if snapshot.board is not None and past
        else [*_data(snapshot, now), *_collector(snapshot), *_clock(where, now)]
    )
    left = _left(where, cells - spans_width(right) - 3)
    if past:
        return replace(justify(left, right, cells, Span(" ")), inverted=True)
    room = cells - spans_width(left) - spans_width(right) - 3
    store = Span(f"{_path(where.store, room)}  " if room >= 12 else " ", Role.MUTED)
    ending = [store, *right, Span(" ")]
    return Line(justify(left, ending, cells, Span(" ")).spans, Background.BAR)


def _left(where: StatusBarState, room: int) -> list[Span]:
    """Program name and modes; without room for all names, only the name of the mode in view."""
    trail = [Span(f" → {cut(where.trail, 24)} ", Role.TITLE)] if where.trail else []
    start = Span(" watchdeck ", Role.STRONG)
    named = [start, *(_mode(where, key, name, name) for key, name in where.modes), *trail]
    if spans_width(named) <= room:
        return named
    return [start, *(_mode(where, key, name, "") for key, name in where.modes), *trail]


def _mode(where: StatusBarState, key: str, name: str, otherwise: str) -> Span:
    if name == where.mode:
        return Span(f" {key} {name} ", Role.TITLE)
    return Span(f" {key} {otherwise} " if otherwise else f" {key} ", Role.MUTED)


def _path(path: str, cells: int) -> str:
    """A path in at most `cells` cells, cut at its beginning: stores differ at the end."""
    shown = clean(path)
    return shown if len(shown) <= cells else "…" + cut(shown[len(shown) - cells + 1 :], cells - 1)


def _data(snapshot: BoardSnapshot, now: int) -> list[Span]:
    at = snapshot.board.metrics_at if snapshot.board else None
    role = Role.WARNING if stale_reason(snapshot) else Role.TEXT
    return [Span("data ", Role.MUTED), Span(f"{age(at, now)}  ", role)]


def _collector(snapshot: BoardSnapshot) -> list[Span]:
    if snapshot.board is None or snapshot.trouble is not BoardProblem.NONE:
        return [Span(f"collector {NO_VALUE}  ", Role.MUTED)]
    return [Span("collector ", Role.MUTED), collector_state(snapshot.board.collector), Span("  ")]


def collector_state(collector: Collector) -> Span:
    """The state of the collector by shape, word and colour."""
    shape, role = _STATES[collector.state]
    return Span(f"{shape} {collector.state}", role)


def _clock(where: StatusBarState, now: int) -> list[Span]:
    text = f"{clock_time(now, where.zone)} {utc_offset(now, where.zone)}"
    return [*_read_only(where), Span(text, Role.STRONG)]


def _read_only(where: StatusBarState) -> list[Span]:
    return [Span("read-only  ", Role.WARNING)] if where.read_only else []


def _past(at: int, where: StatusBarState) -> list[Span]:
    """The moment shown, how long ago it was, and how fast it plays."""
    moment = f"{clock_time(at, where.zone, '%b %d %H:%M:%S')} {utc_offset(at, where.zone)}"
    said = f"PAST  {moment}"
    if where.past is not None:
        said += f"  {age_phrase(at, at + where.past.ago)}  {_pace(where.past)}"
    return [*_read_only(where), Span(f"{said.rstrip()} ")]


def _pace(past: PastOffset) -> str:
    return f"> {past.speed}x" if past.speed else "||"


def banner_lines(
    snapshot: BoardSnapshot, notice: str, zone: tzinfo | None, cells: int, live: str = "L"
) -> tuple[Line, ...]:
    """The lines under the top line: warnings, then `notice`.

    Warnings say that data is stale, that the collector is blind, or that the past is shown.
    `live` is the key that goes from the past to now.
    """
    lines = [
        line
        for shape, words, role in _warnings(snapshot, zone, live)
        for line in wrap(f"{shape} {words}", cells - 1, role, most=2)
    ]
    if notice:
        said = " ".join(notice.splitlines())
        lines += wrap(f"→ {said}", cells - 1, Role.ACCENT, most=3)
    past = snapshot.board is not None and not snapshot.board.live
    return tuple(Line((Span(" "), *line.spans), Background.BAR, past) for line in lines)


def _warnings(
    snapshot: BoardSnapshot, zone: tzinfo | None, live: str
) -> list[tuple[str, str, Role]]:
    if snapshot.trouble is BoardProblem.BROKEN:
        return [("✖", snapshot.words, Role.CRITICAL)]
    if snapshot.trouble is BoardProblem.PREPARING:
        return [("…", snapshot.words, Role.WARNING)]
    board = snapshot.board
    if board is None:
        return []
    if not board.live:
        moment = clock_time(board.at, zone, "%Y-%m-%d %H:%M:%S")
        said = f"PAST: all is as it was at {moment} {utc_offset(board.at, zone)}; {live} is live"
        return [("◆", said, Role.WARNING)]
    beat = board.collector.heartbeat
    said_so = [("✖", stale_reason(snapshot), Role.CRITICAL)]
    if beat is not None:
        said_so.append(("▲", beat.blind and f"the collector is blind: {beat.blind}", Role.CRITICAL))
        said_so.append(("▲", beat.storing and f"store: {beat.storing}", Role.CRITICAL))
        said_so.append(("▲", beat.outside, Role.CRITICAL))
        said_so.append(("◆", beat.clock, Role.WARNING))
    return [warning for warning in said_so if warning[1]]


def traffic_words(traffic: Traffic) -> str:
    """The traffic to the terminal in words.

    That is bytes a second, bytes sent, the last round trip (lag), and skipped frames.
    """
    lag = NO_VALUE if traffic.lag is None else f"{traffic.lag * 1_000:.0f} ms"
    return (
        f"link: {traffic.rate:.0f} B/s, {traffic.sent:,} B sent, lag {lag},"
        f" {traffic.skipped} frames overtaken"
    )


def footer_line(keys: tuple[tuple[str, str], ...], cells: int) -> Line:
    """The last line: keys of the screen with a word each, as many as fit."""
    spans: list[Span] = [Span(" ")]
    for key, words in keys:
        part = [Span(key, Role.ACCENT), Span(f" {words}  ", Role.MUTED)]
        if spans_width([*spans, *part]) <= cells:
            spans += part
    return Line(tuple(spans), Background.BAR)


def too_small_lines(cells: int, rows: int, least: tuple[int, int], leave: str) -> tuple[Line, ...]:
    """Lines for a terminal that is too small: the size needed, its own size, the key to quit."""
    need = f"watchdeck needs {least[0]}x{least[1]}"
    have = f"this is {cells}x{rows}"
    return tuple(
        Line((untrusted_text(text, Role.WARNING),)) for text in (need, have, f"{leave} quits")
    )
