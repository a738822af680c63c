"""Matchers: conditions on labels, read as Alertmanager reads them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.domain.values.matcher import LONGEST, Matcher, MatcherError, read_matcher
from watchdeck.domain.values.quotes import quote, unescape


@pytest.mark.parametrize(
    ("text", "matcher"),
    [
        pytest.param("model=fraud", Matcher("model", "fraud"), id="a plain one"),
        pytest.param(" tier != 3 ", Matcher("tier", "3", negated=True), id="blanks around"),
        pytest.param("a=~b.*", Matcher("a", "b.*", pattern=True), id="a pattern"),
        pytest.param("a!~b", Matcher("a", "b", pattern=True, negated=True), id="no pattern"),
        pytest.param('a="b"', Matcher("a", "b"), id="a quoted value"),
        pytest.param('a=" b "', Matcher("a", " b "), id="blanks between quotes"),
        pytest.param(r'a="say \"hi\""', Matcher("a", 'say "hi"'), id="escaped quotes"),
        pytest.param('a=say "hi"', Matcher("a", 'say "hi"'), id="quotes inside of no quotes"),
        pytest.param(r'a="C:\\x"', Matcher("a", r"C:\x"), id="an escaped backslash"),
        pytest.param(r'a="one\ntwo"', Matcher("a", "one\ntwo"), id="a new line"),
        pytest.param(r'a=~"v\d+"', Matcher("a", r"v\d+", pattern=True), id="another escape stays"),
        pytest.param(r"a=~v\d\\n", Matcher("a", r"v\d\\n", pattern=True), id="without quotes"),
        pytest.param('a=""', Matcher("a", ""), id="the empty text"),
        pytest.param("größe=groß", Matcher("größe", "groß"), id="a name in another language"),
        pytest.param("サイズ.x-1=大", Matcher("サイズ.x-1", "大"), id="letters of no alphabet"),
        pytest.param("gro\u0308\u00dfe=x", Matcher("gro\u0308\u00dfe", "x"), id="combining marks"),
        pytest.param('"größe"="groß"', Matcher("größe", "groß"), id="a quoted name"),
        pytest.param('"a b" = c', Matcher("a b", "c"), id="a name with a blank"),
        pytest.param(r'"a\"=b"!=c', Matcher('a"=b', "c", negated=True), id="signs in a name"),
    ],
)
def test_a_matcher_is_read(text: str, matcher: Matcher) -> None:
    assert read_matcher(text) == matcher


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("fraud", "is not a matcher", id="no sign"),
        pytest.param("=fraud", "is not a matcher", id="no name"),
        pytest.param('""=fraud', "is not a matcher", id="an empty name"),
        pytest.param("1st=x", "is not a matcher", id="a name that begins with a digit"),
        pytest.param("https://x?a=b", "is not a matcher", id="an address"),
        pytest.param('"a=b', "is not a matcher", id="a name that is not closed"),
        pytest.param('a="b', "a value in quotes ends with one", id="a value that is not closed"),
        pytest.param(r'a="b\"', "a value in quotes ends with one", id="its end is escaped"),
        pytest.param('a="b"c"', r'has \\" for a quote in it', id="a quote that is not escaped"),
        pytest.param("a=" + "b" * LONGEST, "is not a matcher", id="too long"),
        pytest.param(
            'a="' + "\\\\" * LONGEST + '"', "is not a matcher", id="too long between quotes"
        ),
        pytest.param('a=~"("', "is not a pattern", id="no pattern"),
        pytest.param('a=~"(a+)+b"', "can take too long to match", id="a slow pattern"),
    ],
)
def test_a_text_that_is_no_matcher_is_refused(text: str, why: str) -> None:
    with pytest.raises(MatcherError, match=why):
        read_matcher(text)


def test_a_bound_is_of_what_a_matcher_means_and_not_of_its_backslashes() -> None:
    assert read_matcher('a="' + '\\"' * (LONGEST - 2) + '"').wanted == '"' * (LONGEST - 2)


NAMES = st.text(min_size=1, max_size=100)
VALUES = st.text(max_size=95) | st.text('" \\n\nab=~!', max_size=95)
PLAIN = st.builds(Matcher, NAMES, VALUES, negated=st.booleans())
PATTERNS = st.builds(Matcher, NAMES, VALUES.map(re.escape), st.just(True), st.booleans())


@given(PLAIN | PATTERNS)
def test_a_matcher_that_is_printed_is_read_as_the_same(matcher: Matcher) -> None:
    assert read_matcher(str(matcher)) == matcher


@given(st.text())
def test_a_text_that_is_read_is_printed_as_one_that_means_the_same(text: str) -> None:
    try:
        matcher = read_matcher(f'a="{text}"')
    except MatcherError:
        return
    assert read_matcher(str(matcher)) == matcher


@given(st.text())
def test_what_is_quoted_is_unescaped_to_itself(text: str) -> None:
    quoted = quote(text)
    assert unescape(quoted[1:-1]) == text
    assert "\n" not in quoted


@pytest.mark.parametrize(
    ("matcher", "text"),
    [
        pytest.param(Matcher("model", "fraud"), "model=fraud", id="a plain one has no quotes"),
        pytest.param(Matcher("a", r"v\d+", pattern=True), r"a=~v\d+", id="nor has a pattern"),
        pytest.param(Matcher("a", 'say "hi"'), r'a="say \"hi\""', id="a blank asks for them"),
        pytest.param(Matcher("a b", ""), '"a b"=', id="also in a name"),
    ],
)
def test_a_matcher_is_printed_as_alertmanager_writes_it(matcher: Matcher, text: str) -> None:
    assert str(matcher) == text
