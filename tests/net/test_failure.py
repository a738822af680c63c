import errno
import socket
import ssl

import pytest

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.net.failure import Failure, RequestError, failure_of, status_words

OTHERWISE = Failure(Outcome.UNREADABLE, "the request failed")


@pytest.mark.parametrize(
    ("error", "outcome", "words"),
    [
        pytest.param(
            OSError(errno.ENETUNREACH, "x"),
            Outcome.UNREACHABLE,
            "the network is unreachable",
            id="no network",
        ),
        pytest.param(
            OSError(errno.EMFILE, "x"), Outcome.UNREACHABLE, "too many files", id="no file left"
        ),
        pytest.param(
            socket.gaierror(socket.EAI_AGAIN, "x"),
            Outcome.DNS,
            "the name server does not answer",
            id="a dead name server",
        ),
        pytest.param(
            socket.gaierror(socket.EAI_NONAME, "x"), Outcome.DNS, "not known", id="no such name"
        ),
        pytest.param(socket.gaierror(-99, "x"), Outcome.DNS, "looked up", id="an odd DNS error"),
        pytest.param(TimeoutError(), Outcome.TIMED_OUT, "in time", id="the system's own time-out"),
        pytest.param(BrokenPipeError(), Outcome.RESET, "reset", id="a broken pipe"),
        pytest.param(OSError("x"), Outcome.UNREACHABLE, "no connection", id="any system error"),
        pytest.param(ssl.SSLError("x"), Outcome.TLS, "cut off", id="a handshake cut off"),
        pytest.param(KeyError("x"), Outcome.UNREADABLE, "request failed", id="what nobody foresaw"),
        pytest.param(
            ExceptionGroup("several", [ConnectionRefusedError(), TimeoutError()]),
            Outcome.REFUSED,
            "refused",
            id="several addresses, the first speaks",
        ),
    ],
)
def test_an_error_has_an_outcome_and_a_reason(
    error: Exception, outcome: Outcome, words: str
) -> None:
    failure = failure_of(error, OTHERWISE)
    assert failure.outcome is outcome
    assert words in failure.detail


def test_the_deepest_cause_speaks() -> None:
    error = ValueError("s3cret")
    error.__cause__ = OSError("s3cret")
    error.__cause__.__cause__ = ConnectionRefusedError(errno.ECONNREFUSED, "s3cret")
    assert failure_of(error, OTHERWISE).detail == "the connection was refused"


def test_a_circle_of_causes_ends() -> None:
    error = KeyError("x")
    error.__cause__ = ValueError("y")
    error.__cause__.__context__ = error
    assert failure_of(error, OTHERWISE).outcome is Outcome.UNREADABLE


def test_no_words_of_a_library_are_repeated() -> None:
    for kind in (OSError, ConnectionResetError, TimeoutError, ssl.SSLError, UnicodeError, KeyError):
        assert "s3cret" not in failure_of(kind("s3cret"), OTHERWISE).detail


def test_a_detail_is_clean_and_short() -> None:
    failure = RequestError(Outcome.RESET, "\x1b[2J" + "x" * 1_000).with_name("/a\x00b").failure
    assert failure.detail.startswith("/a^@b: ^[[2Jxxx")
    assert len(failure.detail) < 450


@pytest.mark.parametrize(("status", "words"), [(503, "503 Service Unavailable"), (599, "599")])
def test_a_status_is_named_when_it_has_a_name(status: int, words: str) -> None:
    assert status_words(status) == words
