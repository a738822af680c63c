"""No text repeats a secret of the process, in whatever form a server sends it back."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.domain.values.text import clean
from watchdeck.redaction import (
    HIDDEN,
    MOST,
    REGISTRY,
    SecretFilter,
    redact,
    remember,
    remember_address,
    remember_header,
)

PASSWORD = 'Pa/ss"w&rd +é'


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(PASSWORD, id="as it is"),
        pytest.param(quote(PASSWORD), id="percent-encoded in a path"),
        pytest.param(quote(PASSWORD, safe=""), id="percent-encoded whole"),
        pytest.param(
            quote(PASSWORD, safe="")
            .replace("%2F", "%2f")
            .replace("%2B", "%2b")
            .replace("%C3%A9", "%c3%a9"),
            id="percent-encoded in lower case",
        ),
        pytest.param(quote_plus(PASSWORD), id="in a form"),
        pytest.param(json.dumps(PASSWORD), id="in JSON"),
        pytest.param(json.dumps(PASSWORD, ensure_ascii=False), id="in JSON with its letters"),
        pytest.param(json.dumps(PASSWORD).replace("/", "\\/"), id="in JSON of PHP"),
        pytest.param(html.escape(PASSWORD), id="in HTML"),
        pytest.param(base64.b64encode(PASSWORD.encode()).decode(), id="in base64"),
        pytest.param(base64.urlsafe_b64encode(PASSWORD.encode()).decode(), id="in URL base64"),
        pytest.param(PASSWORD.lower(), id="in lower case"),
    ],
)
def test_a_secret_is_hidden_in_every_form(form: str) -> None:
    remember(PASSWORD)
    shown = redact(f"you sent <{form}>!")
    assert shown.startswith("you sent <")
    assert HIDDEN in shown
    assert form not in shown


def test_all_that_basic_authentication_sends_is_hidden() -> None:
    login = base64.b64encode(b"me:pass-word").decode()
    remember_header("authorization", f"Basic {login}")
    assert redact(f"Basic {login} is me:pass-word") == f"{HIDDEN} is {HIDDEN}"
    assert redact(f"{login} is me, pass-word") == f"{HIDDEN} is me, {HIDDEN}"


@pytest.mark.parametrize(
    ("name", "value", "text", "shown"),
    [
        pytest.param("authorization", "Bearer t0ken-1", "no t0ken-1", "no (secret)", id="a token"),
        pytest.param("Cookie", "theme=dark; sid=abcdef", "sid abcdef", "sid (secret)", id="cookie"),
        pytest.param("X-Key", "words", "the words", "the (secret)", id="words by the name"),
        pytest.param("accept", "text/plain", "text/plain", "text/plain", id="a plain header"),
        pytest.param("x-limit", "10000", "10000 lines", "10000 lines", id="a number"),
        pytest.param("x-any", "9f8e7d6c5b", "no 9f8e7d6c5b", "no (secret)", id="by its value"),
    ],
)
def test_a_header_is_a_secret_by_its_name_or_its_value(
    name: str, value: str, text: str, shown: str
) -> None:
    remember_header(name, value)
    assert redact(text) == shown


@pytest.mark.parametrize(
    ("url", "text", "shown"),
    [
        pytest.param(
            "https://h/services/T0B1/k3y-of-8", "POST /services/T0B1/k3y-of-8", "POST (secret)",
            id="the path",
        ),
        pytest.param("https://h/services/k3y-of-8", "hook k3y-of-8", "hook (secret)", id="a key"),
        pytest.param("https://h/hooks/alertmanager", "alertmanager", "alertmanager", id="a word"),
        pytest.param("https://h/x?token=word", "my word", "my (secret)", id="by the parameter"),
        pytest.param("https://h/x?format=json", "json", "json", id="a parameter that is no key"),
        pytest.param("https://t0ken@h/", "t0ken", "(secret)", id="a user alone"),
        pytest.param("https://me:pass@h/", "me, pass", "me, (secret)", id="a password"),
    ],
)  # fmt: skip
def test_keys_in_the_address_of_a_receiver_are_hidden(url: str, text: str, shown: str) -> None:
    remember_address(url)
    assert redact(text) == shown


def test_the_begin_of_a_secret_at_a_cut_end_is_hidden() -> None:
    remember("tok-1234567890")
    for size in range(10, 40):
        shown = redact(clean("your token was tok-1234567890, and it is refused", size))
        assert "tok-" not in shown


def test_too_short_a_secret_is_part_of_every_text() -> None:
    remember("abc", "")
    assert redact("the abc of it") == "the abc of it"


def test_the_longest_of_overlapping_secrets_is_hidden_first() -> None:
    remember("abcd", "abcdef")
    assert redact("abcdef abcd") == f"{HIDDEN} {HIDDEN}"


def test_many_secrets_are_hidden_as_few_are() -> None:
    few = [f"key-{number:05}-x" for number in range(5)]
    many = SecretFilter([*few, *(f"other-{number}" for number in range(5_000))])
    text = " ".join(few)
    assert many.redact(text) == SecretFilter(few).redact(text) == " ".join([HIDDEN] * 5)


def test_a_secret_that_is_renewed_is_hidden_with_the_one_before() -> None:
    remember("old-value")
    assert redact("old-value new-value") == "(secret) new-value"
    remember("new-value")
    assert redact("old-value new-value") == "(secret) (secret)"
    REGISTRY.clear()
    assert redact("old-value new-value") == "old-value new-value"


@pytest.mark.long
def test_the_oldest_of_too_many_secrets_are_forgotten() -> None:
    found = SecretFilter(f"secret-{number}-" for number in range(MOST))
    assert found.redact(f"secret-0- secret-{MOST - 1}-") == f"secret-0- {HIDDEN}"


@given(st.lists(st.text(max_size=12), max_size=80), st.text(max_size=200))
def test_no_text_and_no_secret_is_an_exception(secrets: list[str], text: str) -> None:
    assert isinstance(SecretFilter(secrets).redact(text), str)
