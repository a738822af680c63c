from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.outbox import PATIENT, SHORT
from notify.receivers import HANG, longest_gap, receiving
from servers.certificates import Certificates
from servers.loopback import Asked, answer, listening
from watchdeck.net.resolver import LookUp
from watchdeck.notify.http_post import (
    HttpSender,
    ReceiverRequest,
    ReceiverUnreachable,
    read_retry_after,
)
from watchdeck.notify.result import (
    LONGEST_WAIT,
    DeliveryResult,
    GiveUp,
    ReceiverResponse,
    Sent,
    TryAgain,
    result_of,
)


async def said(
    url: str,
    look_up: LookUp | None = None,
    ca: str | None = None,
    within: float = PATIENT,
) -> ReceiverResponse | str:
    post = HttpSender(within, ca, look_up) if look_up else HttpSender(within, ca)
    try:
        return await post.send(ReceiverRequest(url, "POST", {"x-own": "1"}, b"{}"))
    except ReceiverUnreachable as error:
        return str(error)


async def test_a_question_is_sent_as_it_is_and_answered() -> None:
    async with receiving(answer(b"thanks")) as receiver:
        url = receiver.url.replace("//", "//me:pass@")
        assert await said(url) == ReceiverResponse(200, None, b"thanks")
    [asked] = receiver.asked
    assert (asked.method, asked.target, asked.body) == ("POST", "/hook", b"{}")
    assert asked.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert asked.headers["x-own"] == "1"
    assert asked.headers["authorization"].startswith("Basic ")


async def test_a_name_is_looked_up_once_and_the_next_address_is_tried() -> None:
    async with receiving(answer(b"thanks")) as receiver:
        url = f"http://hooks.example:{receiver.port}/"
        assert await said(url, lambda _: ["127.0.0.2", "127.0.0.1"]) == ReceiverResponse(
            200, None, b"thanks"
        )
    assert receiver.asked[0].headers["host"] == f"hooks.example:{receiver.port}"


@pytest.mark.parametrize(
    ("addresses", "why"),
    [
        pytest.param(
            ["169.254.169.254", "fe80::1", "fd00:ec2::254"],
            "the host name leads to a link-local or metadata address",
            id="metadata",
        ),
        pytest.param([], "the host name leads to a link-local or metadata address", id="nothing"),
    ],
)
async def test_a_name_does_not_lead_where_credentials_are_given_out(
    addresses: list[str], why: str
) -> None:
    assert await said("http://hooks.example/", lambda _: addresses) == why


@pytest.mark.parametrize(
    "url", ["ftp://a/", "file:///etc/passwd", "http://[::1", "http:///x", "http://a:99999/"]
)
async def test_what_is_no_address_is_not_asked(url: str) -> None:
    assert str(await said(url)).endswith(("be asked", "be read"))


async def test_an_answer_is_read_to_a_bound() -> None:
    async with receiving(answer(b"x" * 10_000_000)) as receiver:
        found = await said(receiver.url)
    assert isinstance(found, ReceiverResponse)
    assert len(found.body) == 64 << 10


async def test_a_compressed_answer_is_not_unpacked() -> None:
    async with receiving(answer(b"\x1f\x8b" * 99, "Content-Encoding: gzip")) as receiver:
        assert await said(receiver.url) == ReceiverResponse(200)


async def test_an_answer_that_drips_is_over_at_the_deadline() -> None:
    async with receiving(HANG) as receiver:
        gap = await longest_gap(lambda: said(receiver.url, within=SHORT))
    assert gap < SHORT / 2


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        pytest.param("by_a_stranger", "the certificate's issuer is not trusted", id="a stranger"),
        pytest.param("expired", "the certificate has expired", id="expired"),
        pytest.param("of_another_host", "the certificate is for another host name", id="another's"),
        pytest.param("self_signed", "the certificate is self-signed", id="its own"),
    ],
)
async def test_a_certificate_is_always_checked(tmp_path: Path, kind: str, why: str) -> None:
    certificates = Certificates(tmp_path)

    async def never(asked: Asked, _: object) -> None:
        raise AssertionError(asked)

    async with listening(never, getattr(certificates, kind)()) as port:
        found = await said(f"https://localhost:{port}/", lambda _: ["127.0.0.1"], certificates.ca)
    assert found in (why, "the certificate is for another host name")


async def test_an_authority_of_ones_own_is_trusted_when_it_is_named(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)

    async def taken(_: Asked, writer: object) -> None:
        writer.write(answer())  # type: ignore[attr-defined]

    async with listening(taken, certificates.good()) as port:
        url = f"https://localhost:{port}/"
        assert await said(url, lambda _: ["127.0.0.1"], certificates.ca) == ReceiverResponse(200)
        assert await said(url, lambda _: ["127.0.0.1"]) == "the certificate's issuer is not trusted"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param(202, Sent(), id="taken"),
        pytest.param(400, GiveUp("400 Bad Request"), id="refused for good"),
        pytest.param(404, TryAgain("404 Not Found"), id="not there yet"),
        pytest.param(500, TryAgain("500 Internal Server Error"), id="broken"),
        pytest.param(599, TryAgain("599"), id="without a name"),
        pytest.param(
            503, TryAgain("503 Service Unavailable", 7_000, hold=True), id="busy for a while"
        ),
    ],
)
def test_a_status_tells_whether_a_retry_makes_sense(status: int, expected: DeliveryResult) -> None:
    assert result_of(ReceiverResponse(status, 7_000 if status == 503 else None)) == expected


NOW = 1_606_107_600.0  # Mon, 23 Nov 2020 05:00:00 GMT


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        pytest.param("5", 5_000, id="seconds"),
        pytest.param(" 5 ", 5_000, id="seconds with blanks"),
        pytest.param("0", 0, id="at once"),
        pytest.param("86400", LONGEST_WAIT, id="a day"),
        pytest.param("9" * 5_000, LONGEST_WAIT, id="a number that is absurd"),
        pytest.param("-5", None, id="a negative number"),
        pytest.param("1.5", None, id="a fraction"),
        pytest.param("٣", None, id="a digit of another script"),
        pytest.param("NaN", None, id="no number"),
        pytest.param("Mon, 23 Nov 2020 05:00:07 GMT", 7_000, id="a date"),
        pytest.param("Mon, 23 Nov 2020 05:00:07", 7_000, id="a date without a zone"),
        pytest.param("Mon, 23 Nov 2020 06:00:07 +0100", 7_000, id="a date in another zone"),
        pytest.param("Mon, 23 Nov 2020 05:00:07 -0000", 7_000, id="a date of an unknown zone"),
        pytest.param("Wed, 21 Oct 2015 07:28:00", 0, id="the past without a zone"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT, id="the last year"),
        pytest.param("Mon, 01 Jan 0001 00:00:00 +1400", 0, id="before the first year"),
        pytest.param("Wed, 21 Oct 99999999999 07:28:00 GMT", None, id="a year that is absurd"),
        pytest.param("Wed, 32 Oct 2020 99:99:99 GMT", None, id="a day that is none"),
        pytest.param("Mon, 23 Nov 2020 05:00:07 +999999", None, id="a zone that is none"),
        pytest.param("soon", None, id="a word"),
        pytest.param(",,,,", None, id="commas"),
        pytest.param("", None, id="nothing"),
        pytest.param("\x00", None, id="a control character"),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_a_wait_or_nothing_and_never_longer_than_ours(
    status: int, text: str, wait: int | None
) -> None:
    assert read_retry_after(status, text, NOW) == wait


@pytest.mark.parametrize("status", [200, 202, 301, 400, 401, 404, 408, 500, 502, 504])
def test_a_status_that_names_no_time_asks_for_no_wait(status: int) -> None:
    assert read_retry_after(status, "5", NOW) is None


@given(st.text(max_size=80))
def test_no_retry_after_is_an_exception(text: str) -> None:
    wait = read_retry_after(503, text, NOW)
    assert wait is None or 0 <= wait <= LONGEST_WAIT


async def test_a_busy_receiver_tells_when_to_come_again() -> None:
    async with receiving(answer(b"", "Retry-After: 5", status="503 Busy")) as receiver:
        found = await said(receiver.url)
    assert found == ReceiverResponse(503, 5_000)


async def test_a_receiver_that_took_it_asks_for_no_wait() -> None:
    async with receiving(answer(b"", "Retry-After: 5")) as receiver:
        assert await said(receiver.url) == ReceiverResponse(200)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("no route https://h/services/T00/k3y-of-8?token=t0ken", id="the address"),
        pytest.param("Cannot POST /services/T00/k3y-of-8?token=t0ken", id="path and query"),
        pytest.param("Cannot POST /services/T00/k3y-of-8", id="the path"),
        pytest.param(r'{"path": "\/services\/T00\/k3y-of-8"}', id="the path as JSON"),
        pytest.param("unknown webhook k3y-of-8", id="one part of the path"),
        pytest.param("bad token 't0ken'", id="a value of the query"),
    ],
)
def test_no_part_of_an_address_that_may_be_a_key_is_repeated(said: str) -> None:
    url = "https://h/services/T00/k3y-of-8?token=t0ken"
    result = result_of(ReceiverResponse(404, None, said.encode()), url)
    assert isinstance(result, TryAgain)
    assert "(secret)" in result.why
    assert "k3y" not in result.why
    assert "t0ken" not in result.why


def test_a_key_that_is_repeated_decoded_is_hidden_too() -> None:
    repeated = ReceiverResponse(404, None, b"no k3y/of eight for p@ssword")
    result = result_of(repeated, "https://me:p%40ssword@h/k3y%2Fof%20eight")
    assert result == TryAgain("404 Not Found: no (secret) for (secret)")
