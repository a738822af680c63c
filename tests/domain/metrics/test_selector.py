import pytest

from watchdeck.domain.metrics.selector import SelectorError, read_selector
from watchdeck.domain.metrics.series import Series

SERIES = Series("requests", (("code", "503"), ("path", '/a"b')))


@pytest.mark.parametrize(
    ("selector", "holds"),
    [
        pytest.param("requests", True, id="a bare name means all its series"),
        pytest.param('requests{code="503"}', True, id="an equal label"),
        pytest.param('requests{code!="503"}', False, id="an unequal label"),
        pytest.param('requests{code=~"5.."}', True, id="a pattern"),
        pytest.param('requests{code=~"50"}', False, id="a pattern fits the whole value"),
        pytest.param('requests{code!~"5.."}', False, id="a pattern that must not fit"),
        pytest.param('requests{method=""}', True, id="an absent label is the empty text"),
        pytest.param('requests{path="/a\\"b"}', True, id="an escaped quote"),
        pytest.param('requests{ code = "503" , path=~".*", }', True, id="blanks and a last comma"),
    ],
)
def test_a_selector_means_the_series_it_says(selector: str, *, holds: bool) -> None:
    read = read_selector(selector)
    assert read.name == "requests"
    assert read.holds(SERIES) is holds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "is not a series", id="nothing"),
        pytest.param("5xx", "is not a series", id="no name"),
        pytest.param("a b", 'after the name comes {label="value"}', id="two names"),
        pytest.param("a{b=c}", 'is not label="value"', id="no quotes"),
        pytest.param('a{b="c" d="e"}', "parted by commas", id="no comma"),
        pytest.param('a{b=~"("}', "is not a regular expression", id="a broken pattern"),
        pytest.param("a" * 2_000, "is not a series", id="endless text"),
    ],
)
def test_a_selector_that_cannot_be_read_says_why(text: str, said: str) -> None:
    with pytest.raises(SelectorError, match=said):
        read_selector(text)


def test_the_leading_colon_of_tensorflow_serving_is_part_of_a_name() -> None:
    assert read_selector(":tensorflow:serving:request_count").name.startswith(":tensorflow")
