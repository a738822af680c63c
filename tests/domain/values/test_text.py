"""Foreign text made safe: nothing is left that a terminal obeys, hides or refuses to draw."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.domain.values.text import clean


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("a\x1b[31m", "a^[[31m", id="an escape sequence"),
        pytest.param("\x9b2J", "<9b>2J", id="an eight-bit control"),
        pytest.param("\u202eevil", "<U+202E>evil", id="text from right to left"),
        pytest.param("a\u200bb", "a<U+200B>b", id="a space without width"),
        pytest.param("\uffff\ufdd0", "<U+FFFF><U+FDD0>", id="what is no character"),
        pytest.param("été 模型 🤖", "été 模型 🤖", id="what is only text"),
        pytest.param("x" * 9, "xxxxxxx…", id="what is too long"),
    ],
)
def test_foreign_text_is_shown_as(text: str, shown: str) -> None:
    assert clean(text, 8 if len(text) == 9 else 100) == shown


@given(st.text(st.characters(exclude_categories=())))
def test_clean_text_has_no_controls_and_stays_as_it_is(text: str) -> None:
    shown = clean(text)
    assert not {"Cc", "Cs", "Zl", "Zp"} & {unicodedata.category(letter) for letter in shown}
    assert clean(shown) == shown
