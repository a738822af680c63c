import pytest

from watchdeck.domain.board.filter import FilterError, parse
from watchdeck.domain.metrics.selector import SelectorError, read_selector
from watchdeck.domain.values.matcher import MatcherError, read_matcher
from watchdeck.domain.values.pattern import count_wide_ranges, is_slow


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("fraud-.*", id="one repetition"),
        pytest.param(".*card.*v2", id="two that can take the same characters"),
        pytest.param(".*card.*v2.*", id="and one at the end, which takes the rest"),
        pytest.param(r"[a-z]+-[a-z]+-[a-z]+-\d+\.\d+", id="many that end at a sign"),
        pytest.param("(fraud|churn|risk)-(eu|us)-(v1|v2)", id="alternatives"),
        pytest.param("fraud(-canary.*)?", id="an optional group"),
        pytest.param("(ab){3}c*", id="a fixed group some times"),
        pytest.param(r"\(a+\)+", id="brackets that are no group"),
        pytest.param("[(*]+[)+]", id="signs in a class"),
        pytest.param("https?://.*", id="an optional letter"),
        pytest.param(".*-[a-z]+-v[0-9]+", id="one that ends at a sign between two"),
    ],
)
def test_a_usual_pattern_is_quick(pattern: str) -> None:
    assert not is_slow(pattern, 400)
    assert read_matcher(f"model=~{pattern}").pattern


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("(a+)+b", id="a repeated group with a repetition"),
        pytest.param("((a+))+b", id="in another group"),
        pytest.param("(?:a|b)*c", id="a repeated group of alternatives"),
        pytest.param("(?P<x>a*){2,}b", id="a repeated named group"),
        pytest.param("(a?){30}b", id="a repeated optional letter"),
        pytest.param("a?" * 30 + "b", id="many optional letters"),
        pytest.param("(a|a)" * 25 + "b", id="many alternatives in a row"),
        pytest.param(".*a.*b.*c", id="three repetitions"),
        pytest.param("a{1,50}a{1,50}a{1,50}b", id="three bounded repetitions"),
        pytest.param(r"\w+\d+\w+-", id="classes that overlap"),
        pytest.param(r"[^b]+\b[^b]+\b[^b]+-", id="repetitions between edges of words"),
        pytest.param("(?x)(a+) +b", id="blanks that mean nothing"),
        pytest.param("a*" * 100, id="a hundred repetitions"),
    ],
)
def test_a_pattern_that_can_take_long_is_refused_wherever_it_is_written(pattern: str) -> None:
    assert is_slow(pattern, 400)
    with pytest.raises(MatcherError, match="can take too long to match"):
        read_matcher(f"model=~{pattern}")
    with pytest.raises(SelectorError, match="can take too long to match"):
        read_selector(f'a{{b=~"{pattern.replace(chr(92), chr(92) * 2)}"}}')
    with pytest.raises(FilterError):
        parse(f"/{pattern}/")


def test_the_wide_ranges_of_a_filter_are_few() -> None:
    assert count_wide_ranges("[a-z]+-[0-9]+") == 0
    assert count_wide_ranges(r"[\x00-\uffff][à-ü]") == 2
    parse("/[à-ü]+/")
    with pytest.raises(FilterError, match="at most 4 ranges"):
        parse(f"/[{'à-ü' * 5}]/")


@pytest.mark.parametrize("pattern", ["[", "(?P<", "a{9999999999999999999}"])
def test_a_matcher_whose_pattern_is_broken_is_refused(pattern: str) -> None:
    with pytest.raises(MatcherError, match="is not a pattern"):
        read_matcher(f"model=~{pattern}")
