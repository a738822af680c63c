import unicodedata

import pytest
from rich.cells import cell_len

from watchdeck.domain.values.cells import cell_width, pad
from watchdeck.domain.values.text import clean


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        pytest.param("", 0, id="nothing"),
        pytest.param("fraud", 5, id="plain letters"),
        pytest.param("größe", 5, id="letters of another language"),
        pytest.param("gro\u0308ße", 5, id="a combining mark"),
        pytest.param("検索", 4, id="wide characters"),
        pytest.param("ｱ한", 3, id="a narrow one and a wide one"),
        pytest.param("🚀!", 3, id="a picture"),
        pytest.param("हिन्दी", 3, id="marks that take no cell"),
    ],
)
def test_a_text_has_a_width_in_cells(text: str, cells: int) -> None:
    assert cell_width(text) == cells
    assert cell_width(pad(text, cells + 3)) == cells + 3
    assert pad(text, cells - 1) == text


def test_the_width_is_that_of_the_console() -> None:
    """For every character that Python knows, and that text from outside can have."""
    known = (chr(code) for code in range(0x20, 0x32000) if not 0xD800 <= code < 0xE000)
    shown = (one for one in known if unicodedata.category(one) != "Cn" and clean(one) == one)
    assert [one for one in shown if cell_width(one) != cell_len(one)] == []
