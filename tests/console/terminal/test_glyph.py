"""One glyph for each cell, and nothing that a terminal would obey."""

import re
import unicodedata
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from watchdeck.console.terminal.cells import glyphs, has_certain_width, replace_unencodable

R = "\ufffd"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a b", ["a", " ", "b"], id="plain"),
        pytest.param("模x", ["模", "", "x"], id="a wide glyph has two cells"),
        pytest.param("e\u0301x", ["e\u0301", "x"], id="an accent goes with its letter"),
        pytest.param("\x1b[2J", [R, "[", "2", "J"], id="escape"),
        pytest.param("\x9b31m", [R, "3", "1", "m"], id="the C1 sequence introducer"),
        pytest.param("a\u202eb", ["a", R, "b"], id="text turned around"),
        pytest.param("a\u200bb\xad", ["a", R, "b", R], id="what nobody sees"),
        pytest.param("\ud800", [R], id="half a pair"),
        pytest.param("\x00\x07\x08\r\n\t", [R] * 6, id="controls"),
        pytest.param("\u0301a", [R, "a"], id="an accent on nothing"),
        pytest.param("a" + 999 * "\u0301", ["a" + 11 * "\u0301"], id="a heap of accents"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_text_as_cells(text: str, expected: list[str]) -> None:
    assert list(glyphs(text)) == expected


RAW = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@given(st.text(st.characters(codec=None), max_size=40))
def test_no_text_holds_anything_raw(text: str) -> None:
    shown = "".join(glyphs(text))
    assert not RAW.search(shown)
    assert not [char for char in shown if unicodedata.category(char) in ("Cc", "Cs")]


UNSEEN: Final = ("Cc", "Cf", "Cn", "Mn", "Me", "Mc", "Lo", "Sk")
"""Kinds of characters among which some have no width, which the gate gives one."""


@given(st.text(st.characters(codec="utf-8", exclude_categories=UNSEEN)))
def test_as_many_glyphs_as_cells(text: str) -> None:
    assert len(glyphs(text)) == cell_len(text)


def test_a_charset_without_a_glyph_shows_a_question_mark_in_each_of_its_cells() -> None:
    assert replace_unencodable(["é", "模", "", "a", "─"], "iso8859-1") == ["é", "?", "?", "a", "?"]


@pytest.mark.parametrize(
    ("glyph", "steady"),
    [
        *(("a", True), ("─", True), ("⣿", True), ("✖", True), ("模", True)),
        *(("🚀", False), ("e\u0301", False), ("\ue000", False), ("❤\ufe0f", False)),
    ],
)
def test_which_glyphs_leave_the_cursor_where_we_think(glyph: str, *, steady: bool) -> None:
    assert has_certain_width(glyph) is steady
