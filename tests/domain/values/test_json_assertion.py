import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.domain.values.json_assertion import (
    JsonAssertionError,
    assertion_failure,
    read_assertion,
    read_json,
    read_number,
    read_path,
)

DOCUMENT = {
    "outputs": [{"data": [1, 0]}],
    "ready": True,
    "models": [{"name": "a"}, {"name": "b"}],
    "a name": {"x-y": "\x1b[2J"},
}


@pytest.mark.parametrize(
    ("expectation", "holds"),
    [
        pytest.param("$.outputs[0].data[0] in [0, 1]", True, id="one of several values"),
        pytest.param("$.outputs[0].data[0] == 1", True, id="one value"),
        pytest.param("$.outputs[0].data[0] == 2", False, id="another value"),
        pytest.param("$.outputs[0].data[0] != 2", True, id="anything but a value"),
        pytest.param("$.outputs[9].data exists", False, id="a path that leads nowhere"),
        pytest.param("$.ready == true", True, id="true"),
        pytest.param("$.ready == 1", False, id="true is not 1"),
        pytest.param("$.outputs[0].data[0] == true", False, id="1 is not true"),
        pytest.param("$.models[*].name == 'b'", True, id="any element, single quotes"),
        pytest.param('$.models[*].name == "c"', False, id="no element"),
        pytest.param("$['a name'].x-y exists", True, id="names with blanks and dashes"),
        pytest.param("$.missing != 1", False, id="what is missing is not unequal either"),
    ],
)
def test_an_expectation_holds_or_not(expectation: str, *, holds: bool) -> None:
    assert read_assertion(expectation).holds(DOCUMENT) is holds


VERSIONS = {"status": [{"v": "2", "state": "LOADING"}, {"v": "1", "state": "OK"}, "x", {"v": "0"}]}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        pytest.param('$.status[?@.state == "OK"].v', ["1"], id="one element"),
        pytest.param('$.status[?@.state == "GONE"].v', [], id="no element"),
        pytest.param('$[*][?@.state == "LOADING"].v', ["2"], id="after any element"),
        pytest.param('$.missing[?@.state == "OK"]', [], id="no list"),
    ],
)
def test_a_filter_selects_the_elements_with_a_value(path: str, found: list[object]) -> None:
    assert read_path(path).values(VERSIONS) == found


@pytest.mark.parametrize(
    ("text", "number"),
    [
        pytest.param("$.count", 3.0, id="a path"),
        pytest.param("$.absent", None, id="a path that leads nowhere"),
        pytest.param('$.status[*].state == "OK"', 1.0, id="the matches of an assertion"),
        pytest.param('$.status[*].state == "GONE"', 0.0, id="no match"),
    ],
)
def test_a_number_is_a_value_or_a_count(text: str, number: float | None) -> None:
    assert read_number(text).number({"count": 3, **VERSIONS}) == number


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("outputs[0] == 1", id="no dollar"),
        pytest.param("$.a", id="no condition"),
        pytest.param("$.a ==", id="no value"),
        pytest.param("$[?@.a == 1] exists", id="a filter by a number"),
        pytest.param('$[?@.a == "x] exists', id="a filter without its end"),
        pytest.param("$.a == __import__('os')", id="code is no value"),
        pytest.param("$.a == [1]", id="a list for one value"),
        pytest.param("$.a in 3", id="one value for a list"),
        pytest.param("$.a in [[1]]", id="a list of lists"),
        pytest.param("$" + ".a" * 100 + " exists", id="deeper than anything real"),
        pytest.param("$.a == " + "1" * 1_000, id="endless text"),
    ],
)
def test_an_expectation_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(JsonAssertionError):
        read_assertion(text)


@pytest.mark.parametrize(
    ("expectation", "body", "why"),
    [
        pytest.param("$.a == 1", b'{"a": 1}', "", id="as expected"),
        pytest.param("$.a in [0, 1]", b'{"a": 7}', "$.a is 7, expected in [0, 1]", id="wrong"),
        pytest.param("$.a == 1", b"{}", "$.a is missing in the answer", id="missing"),
        pytest.param("$.a == 1", b"<html>", "the answer is not JSON", id="not JSON"),
        pytest.param(
            "$.a == 1", b"[" * 100_000, "the answer is not JSON", id="deeper than Python goes"
        ),
    ],
)
def test_a_wrong_answer_says_what_was_found(expectation: str, body: bytes, why: str) -> None:
    assert assertion_failure(expectation, body) == why


def test_what_was_found_is_clean_and_short() -> None:
    said = assertion_failure("$['a name'].x-y == 1", json.dumps(DOCUMENT).encode())
    assert "\x1b" not in said
    assert len(assertion_failure("$.a == 1", b'{"a": "' + b"x" * 10_000 + b'"}')) < 200


def test_a_hostile_document_does_not_multiply_the_values_of_a_path() -> None:
    document = read_json(b'{"a": [' + b",".join([b"[0,0,0,0]"] * 20_000) + b"]}")
    assert len(read_path("$.a[*][*]").values(document)) == 10_000


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e999", "1" + "0" * 400, '"7"', "null", "[]"])
def test_what_is_no_finite_number_is_none(text: str) -> None:
    assert read_path("$.a").number(read_json(f'{{"a": {text}}}'.encode())) is None


def test_every_value_of_an_object_is_looked_at() -> None:
    assert read_assertion("$[*] == 2").holds({"a": 1, "b": 2})


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (read_assertion, read_path):
        with suppress(JsonAssertionError):
            read(text)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_a_number_is_found_in_any_document_or_is_none(document: object) -> None:
    found = read_path("$[*]").number(document)
    assert found is None or isinstance(found, float)


@pytest.mark.parametrize(
    ("value", "expected", "holds"),
    [
        pytest.param("1", "[1, 2]", True, id="a number of several"),
        pytest.param("1.0", "[1]", True, id="an equal number"),
        pytest.param("true", "[1]", False, id="true is not 1"),
        pytest.param("0", "[false]", False, id="0 is not false"),
        pytest.param("null", "[null]", True, id="null"),
        pytest.param("[1]", "[1]", False, id="a list is none of them"),
    ],
)
def test_a_value_is_one_of_those_expected(value: str, expected: str, *, holds: bool) -> None:
    assertion = read_assertion(f"$.a in {expected}")
    assert assertion.holds(json.loads(f'{{"a": {value}}}')) is holds
