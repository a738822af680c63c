"""The pen: a sequence it writes always leads to the look and the place that are wanted."""

import re

from hypothesis import given
from hypothesis import strategies as st

from watchdeck.console.terminal.ansi import _OFF, _ON, AnsiWriter, style_change
from watchdeck.console.terminal.cells import CLEARED, DEFAULT_STYLE, TEXT_ONLY, CellRow, CellStyle

COLOURS = ("", "31", "97", "38;5;123", "38;2;1;2;3")
LOOKS = st.builds(
    CellStyle,
    st.sampled_from(COLOURS),
    st.sampled_from(("", "41", "107", "48;5;123", "48;2;1;2;3")),
    st.integers(0, 0x1FFF),
)

_WIDE = re.compile(r"([34]8;5;\d+|[34]8;2;\d+;\d+;\d+|\d+)")


def obeyed(sequence: str, look: CellStyle) -> CellStyle:
    """What a terminal makes of a sequence, in its own words."""
    fore, back, attributes = look
    for code in _WIDE.findall(sequence[2:-1] or "0"):
        if code == "0":
            fore, back, attributes = DEFAULT_STYLE
        elif code in {on for _, on in _ON}:
            attributes |= next(bit for bit, on in _ON if on == code)
        elif code in {off for _, off in _OFF}:
            attributes &= ~next(group for group, off in _OFF if off == code)
        elif code[0] == "3" or (code[0] == "9" and len(code) == 2):
            fore = "" if code == "39" else code
        else:
            back = "" if code == "49" else code
    return CellStyle(fore, back, attributes)


@given(LOOKS, LOOKS)
def test_a_change_leads_to_the_look(old: CellStyle, new: CellStyle) -> None:
    sequence, then = style_change(old, new)
    assert then == new
    assert (obeyed(sequence, old) if sequence else old) == new


@given(LOOKS, LOOKS)
def test_a_blank_needs_its_ground_and_nothing_that_shows(old: CellStyle, new: CellStyle) -> None:
    blank = new.space_style()
    sequence, then = style_change(old, blank)
    shown = obeyed(sequence, old) if sequence else old
    assert shown == then
    assert shown.background == blank.background
    assert shown.attributes & ~TEXT_ONLY == blank.attributes & ~TEXT_ONLY


def test_a_blank_between_words_costs_nothing() -> None:
    ink = CellStyle("31", "40", TEXT_ONLY)
    assert style_change(ink, ink.space_style()) == ("", ink)


def way(start: tuple[int, int] | None, x: int, y: int) -> str:
    pen = AnsiWriter(80)
    if start:
        pen.move_to(*start)
    return pen.move_sequence(x, y)


def test_the_shortest_way_is_taken() -> None:
    assert way(None, 0, 0) == "\x1b[H"
    assert way(None, 0, 4) == "\x1b[5H"
    assert way(None, 7, 4) == "\x1b[5;8H"
    assert way((7, 4), 7, 4) == ""
    assert way((7, 4), 0, 4) == "\r"
    assert way((7, 4), 0, 5) == "\r\n"
    assert way((7, 4), 8, 4) == "\x1b[C"
    assert way((7, 4), 5, 4) == "\b\b"
    assert way((7, 4), 17, 4) == "\x1b[18G"
    assert way((70, 4), 75, 4) == "\x1b[5C"


def drawn(*glyphs: str, width: int = 80) -> tuple[AnsiWriter, str]:
    pen = AnsiWriter(width)
    pen.draw(0, 0, CellRow(list(glyphs), [CLEARED] * len(glyphs)))
    return pen, pen.fork().take_output()


def test_after_a_glyph_that_may_mislead_the_place_is_given_again() -> None:
    pen, text = drawn("🚀", "", "a")
    assert text == "\x1b[H🚀\x1b[3Ga"
    assert pen.x == 3


def test_in_the_last_column_no_place_is_trusted() -> None:
    pen, _ = drawn("a", "b", "c", width=3)
    assert pen.x is None
    assert pen.move_sequence(1, 0) == "\x1b[2G"


def test_only_a_terminal_that_fills_erases_a_coloured_ground() -> None:
    ground = CellStyle(None, "48;5;17")
    assert AnsiWriter(80, erases_in_colour=True).can_erase(ground)
    assert not AnsiWriter(80).can_erase(ground)
    assert AnsiWriter(80).can_erase(CLEARED)
    assert not AnsiWriter(80, erases_in_colour=True).can_erase(DEFAULT_STYLE)
