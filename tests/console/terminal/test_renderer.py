"""The canvas alone: whatever was shown, and whatever is wanted, the terminal shows it after."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.segment import ControlType, Segment
from rich.style import Style
from textual.strip import Strip

from console.terminal.emulator import Emulator, Seen, row_of
from watchdeck.console.terminal.capabilities import ColourDepth, TerminalCapabilities
from watchdeck.console.terminal.renderer import FRAME_CELLS, DiffRenderer
from watchdeck.console.terminal.textual_update import ScreenUpdate, StripUpdate

WIDTH, HEIGHT = 12, 4

STYLES = tuple(
    Style.parse(words)
    for words in (
        "white on black", "bold #ff0000 on black", "underline blue", "reverse", "on #10141b",
        "italic strike red on #10141b", "none", "blink green", "dim white on black",
    )
)  # fmt: skip

SEGMENTS = st.lists(
    st.builds(
        Segment,
        st.sampled_from(("", " ", "a", "abc", "    ", "模", "模 型", "─│", "🚀", "x模", "été")),
        st.sampled_from((None, *STYLES)),
    ),
    max_size=8,
)


def strip_of(segments: Sequence[Segment]) -> Strip:
    return Strip(segments).adjust_cell_length(WIDTH, STYLES[0])


def whole(rows: Sequence[Strip], width: int = WIDTH) -> ScreenUpdate:
    return ScreenUpdate(
        [StripUpdate(0, y, strip) for y, strip in enumerate(rows)], (width, len(rows))
    )


def screen(*rows: Sequence[Segment]) -> ScreenUpdate:
    return whole([strip_of(row) for row in rows])


SCREENS = st.lists(SEGMENTS, min_size=HEIGHT, max_size=HEIGHT)


@given(st.lists(SCREENS, min_size=1, max_size=4), st.booleans(), st.booleans())
@settings(deadline=None)
def test_any_screen_after_any_other_is_right(
    screens: list[list[list[Segment]]],
    fills: bool,  # noqa: FBT001
    slow: bool,  # noqa: FBT001
) -> None:
    wire = Emulator(WIDTH, HEIGHT)
    canvas = DiffRenderer(TerminalCapabilities(erases_in_colour=fills), wire)
    for number, rows in enumerate(screens):
        wire.free = not slow or number % 2 == 0
        canvas.apply(screen(*rows))
    wire.free = True
    canvas.flush()
    assert wire.cells() == [row_of(strip_of(row)) for row in screens[-1]]


@given(SCREENS, st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1), SEGMENTS)
def test_a_part_that_cuts_wide_glyphs_leaves_no_half(
    rows: list[list[Segment]], x: int, y: int, part: list[Segment]
) -> None:
    wire = Emulator(WIDTH, HEIGHT)
    canvas = DiffRenderer(TerminalCapabilities(), wire)
    canvas.apply(screen(*rows))
    canvas.apply(ScreenUpdate([StripUpdate(x, y, Strip(part))], None))
    seen = [cell.glyph for cell in wire.cells()[y]]
    halves = [at for at, glyph in enumerate(seen) if glyph in ("模", "型", "🚀")]
    assert [at for at, glyph in enumerate(seen) if not glyph] == [at + 1 for at in halves]


def words(text: str, style: str = "white on black") -> list[Segment]:
    return [Segment(text, Style.parse(style))]


def canvas_on(means: TerminalCapabilities | None = None) -> tuple[DiffRenderer, Emulator]:
    wire = Emulator(WIDTH, HEIGHT)
    canvas = DiffRenderer(means or TerminalCapabilities(), wire)
    canvas.apply(screen(*[words("abc")] * HEIGHT))
    return canvas, wire


def test_nothing_is_sent_when_nothing_differs() -> None:
    canvas, wire = canvas_on()
    canvas.apply(screen(*[words("abc")] * HEIGHT))
    assert len(wire.frames) == 1


def test_one_cell_costs_some_bytes() -> None:
    canvas, wire = canvas_on()
    canvas.apply(screen(*[words("abc")] * (HEIGHT - 1), words("abd")))
    assert wire.frames[1:] == [b"\x1b[4;3Hd"]


def test_a_slow_link_gets_the_newest_and_nothing_in_between() -> None:
    canvas, wire = canvas_on()
    wire.free = False
    for text in ("one", "two", "three"):
        canvas.apply(screen(*[words(text)] * HEIGHT))
    wire.free = True
    canvas.flush()
    assert b"three" in wire.frames[-1]
    assert len(wire.frames) == 2
    assert wire.passed == 3


def test_drawing_anew_clears_what_others_left_there() -> None:
    canvas, wire = canvas_on()
    wire.feed(b"\x1b[31;44;4mrubbish\x1b[3;3Hmore")
    canvas.invalidate()
    canvas.flush()
    assert wire.cells() == [row_of(strip_of(words("abc")))] * HEIGHT
    assert wire.frames[-1].startswith(b"\x1b[r\x1b[m\x1b[2J")


LINES = [words(9 * chr(97 + number), "bold #ff0000 on #10141b") for number in range(28)]


def moved(by: int) -> tuple[DiffRenderer, Emulator]:
    """A tall screen between two rows that stay, and then the same with its rows moved."""
    wire = Emulator(WIDTH, 14)
    canvas = DiffRenderer(TerminalCapabilities(erases_in_colour=True), wire)
    for start in (6, 6 + by):
        canvas.apply(screen(words("top"), *LINES[start : start + 12], words("bottom")))
    assert wire.cells()[1] == row_of(strip_of(LINES[6 + by]))
    assert wire.cells()[12] == row_of(strip_of(LINES[17 + by]))
    assert wire.cells()[13] == row_of(strip_of(words("bottom")))
    return canvas, wire


@pytest.mark.parametrize(("by", "move"), [(1, b"\x1b[1M"), (-1, b"\x1b[1L"), (3, b"\x1b[3M")])
def test_rows_that_moved_are_moved_by_the_terminal(by: int, move: bytes) -> None:
    _, wire = moved(by)
    assert wire.frames[1].startswith(b"\x1b[2;13r\x1b[2H" + move + b"\x1b[r")
    assert len(wire.frames[1]) < 120


def test_rows_that_moved_too_far_are_written() -> None:
    _, wire = moved(10)
    assert b"\x1b[r" not in wire.frames[1]


@given(
    st.lists(st.integers(0, 9), min_size=9, max_size=9),
    st.lists(st.integers(-4, 4), max_size=5),
    st.integers(0, 8),
)
@settings(deadline=None)
def test_rows_that_move_anywhere_end_where_they_should(
    rows: list[int], moves: list[int], changed: int
) -> None:
    wire = Emulator(WIDTH, len(rows))
    canvas = DiffRenderer(TerminalCapabilities(erases_in_colour=True), wire)
    canvas.apply(screen(*(LINES[row] for row in rows)))
    for by in moves:
        rows = rows[by:] + rows[:by]
        rows[changed] = 10 + changed
        canvas.apply(screen(*(LINES[row] for row in rows)))
        assert wire.cells() == [row_of(strip_of(LINES[row])) for row in rows]


def test_another_size_begins_anew() -> None:
    canvas, wire = canvas_on()
    wire.resize(5, 2)
    canvas.apply(whole([Strip(words("hello")), Strip(words("world"))], width=5))
    assert canvas.size == (5, 2)
    assert wire.cells()[1] == row_of(words("world"))


def test_a_piece_outside_of_the_screen_is_dropped() -> None:
    canvas, wire = canvas_on()
    canvas.apply(
        ScreenUpdate(
            [StripUpdate(0, 99, Strip(words("a"))), StripUpdate(99, 0, Strip(words("b")))], None
        )
    )
    assert len(wire.frames) == 1


def test_a_large_frame_is_announced_where_the_terminal_can_hold_its_picture() -> None:
    wire = Emulator(300, 40)
    canvas = DiffRenderer(TerminalCapabilities(), wire)
    canvas.synchronised = True
    canvas.apply(whole([Strip(words(f"{y:300}")) for y in range(40)], width=300))
    assert wire.frames[0].startswith(b"\x1b[?2026h")
    assert wire.frames[0].endswith(b"\x1b[?2026l")


def test_a_vast_screen_goes_out_in_parts() -> None:
    height = 3 * FRAME_CELLS // 500
    wire = Emulator(2, 2)
    canvas = DiffRenderer(TerminalCapabilities(), wire)
    canvas.apply(whole([Strip(words("x" * 500))] * height, width=500))
    assert len(wire.frames) == 3


def test_without_colours_no_code_of_a_colour_is_sent() -> None:
    _, wire = coloured(TerminalCapabilities(ColourDepth.NONE))
    assert b"".join(wire.frames) == b"\x1b[r\x1b[m\x1b[2J\x1b[H\x1b[1mbold \x1b[mred"


def test_sixteen_colours_are_codes_that_an_old_terminal_knows() -> None:
    _, wire = coloured(TerminalCapabilities(ColourDepth.ANSI_16))
    assert wire.frames[0] == b"\x1b[r\x1b[m\x1b[2J\x1b[H\x1b[1;91;40mbold \x1b[22mred"


def coloured(means: TerminalCapabilities) -> tuple[DiffRenderer, Emulator]:
    wire = Emulator(8, 1)
    canvas = DiffRenderer(means, wire)
    style = Style.parse("#ff0000 on #000000")
    strip = Strip([Segment("bold", style + Style(bold=True)), Segment(" red", style)])
    canvas.apply(whole([strip], width=8))
    return canvas, wire


def test_a_terminal_of_another_charset_gets_what_it_can_show() -> None:
    wire = Emulator(6, 1)
    canvas = DiffRenderer(TerminalCapabilities(charset="iso8859-1"), wire)
    canvas.apply(whole([Strip([Segment("é模─ok")])], width=6))
    assert wire.frames[0].endswith("é???ok".encode("iso8859-1"))


@pytest.mark.parametrize("text", ["\x1b]0;PWNED\x07", "\x9b2J", "a\x08b", "\u202etxt", "\x1b[6n"])
def test_no_control_character_in_a_cell_reaches_the_terminal(text: str) -> None:
    wire = Emulator(WIDTH, 1)
    canvas = DiffRenderer(TerminalCapabilities(), wire)
    canvas.apply(whole([Strip([Segment(text, STYLES[0])], WIDTH)]))
    sent = b"".join(wire.frames).decode()
    assert not {*text} & {*"\x07\x08\x9b\u202e"} & {*sent}
    assert "\ufffd" in sent
    assert "\x1b" not in sent.removeprefix("\x1b[r\x1b[m\x1b[2J\x1b[H\x1b[37;40m")


def test_a_segment_of_control_is_no_picture() -> None:
    wire = Emulator(WIDTH, 1)
    canvas = DiffRenderer(TerminalCapabilities(), wire)
    control = Segment("\x1b[2J", None, [(ControlType.CLEAR,)])
    canvas.apply(whole([Strip([control, *words("ok")])]))
    assert [cell.glyph for cell in wire.cells()[0]][:2] == ["o", "k"]
    assert wire.cells()[0][2] == Seen(" ", "", "default")
