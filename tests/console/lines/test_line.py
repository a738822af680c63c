import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.console.lines.line import (
    Line,
    Role,
    Span,
    cut,
    dim_line,
    fit,
    justify,
    line,
    shorten,
    untrusted_text,
    width,
    wrap,
    wrap_parts,
)

NASTY = "\x1b\x9b\x00\u202e\u200b[]模🚀e\u0301\ud800"
HOSTILE = st.text(alphabet=st.one_of(st.characters(), st.sampled_from(NASTY)), max_size=60)


@given(HOSTILE, st.integers(0, 40), st.booleans())
def test_a_fitted_text_takes_exactly_its_cells(text: str, cells: int, right: bool) -> None:  # noqa: FBT001
    assert width(fit(text, cells, right=right)) == cells


@given(HOSTILE, st.integers(0, 40))
def test_a_cut_text_has_no_character_that_a_terminal_obeys(text: str, cells: int) -> None:
    shown = cut(text, cells)
    assert width(shown) <= cells
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u200b" for c in shown)


@pytest.mark.parametrize(
    ("text", "cells", "expected"),
    [
        pytest.param("fraud", 8, "fraud   ", id="short text is filled"),
        pytest.param("fraud-detector", 8, "fraud-d…", id="long text ends in an ellipsis"),
        pytest.param("模型模型", 5, "模型…", id="wide characters are never cut in half"),
        pytest.param("a\x1bb", 4, "a^[b", id="an escape becomes visible"),
        pytest.param("[red]", 5, "[red]", id="markup is text"),
    ],
)
def test_a_cell_of_text(text: str, cells: int, expected: str) -> None:
    assert fit(text, cells) == expected


def test_numbers_stand_right() -> None:
    assert fit("412ms", 8, right=True) == "   412ms"


def test_parts_flow_onto_the_next_line_without_being_broken() -> None:
    parts = [
        (untrusted_text("one"), untrusted_text(" 1")),
        (untrusted_text("two"), untrusted_text(" 2")),
        (untrusted_text("three"),),
    ]
    assert [str(one) for one in wrap_parts(parts, 13)] == ["one 1  two 2", "three"]


def test_a_part_wider_than_the_screen_is_cut() -> None:
    assert [str(one) for one in wrap_parts([(untrusted_text("abcdefgh"),)], 5)] == ["abcd…"]


def test_words_wrap_and_the_rest_is_cut() -> None:
    lines = wrap("the quick brown fox jumps", 10, most=2)
    assert [str(one) for one in lines] == ["the quick", "brown fox…"]


def test_the_left_side_gives_way_to_the_right() -> None:
    drawn = justify([Span("a long title")], [Span(" 5s ago")], 14, Span("-"))
    assert str(drawn) == "a long… 5s ago"


def test_what_is_left_between_both_sides_is_filled() -> None:
    assert str(justify([Span("ab")], [Span("cd")], 8, Span("-"))) == "ab----cd"


def test_spans_are_cut_where_the_room_ends() -> None:
    spans = shorten([Span("abc"), Span("def"), Span("ghi")], 5)
    assert "".join(span.text for span in spans) == "abcd…"


def test_a_dimmed_line_keeps_its_words() -> None:
    drawn = line(Span("✖ DOWN", Role.DOWN), " churn")
    assert str(dim_line(drawn)) == "✖ DOWN churn"
    assert {span.role for span in dim_line(drawn).spans} == {Role.MUTED}


def test_a_line_without_spans_is_empty() -> None:
    assert str(Line()) == ""
