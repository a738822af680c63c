import ssl
import time
from pathlib import Path

import pytest

from net.clients import endpoint, reading, tell
from servers.certificates import Certificates
from servers.hostile import hostile
from watchdeck.domain.kinds.kind import ProbeResponse
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.values.secret import Tls
from watchdeck.net import tls
from watchdeck.net.failure import Failure, RequestError


async def shown(
    context: ssl.SSLContext, checks: Tls, host: str = "127.0.0.1"
) -> tuple[ProbeResponse | Failure, float | None]:
    """What came, and the days that the server's certificate has left."""
    async with hostile(context) as server:
        url = server.url("/metrics", host)
        async with reading(endpoint(url, tls=checks)) as reader:
            told = await tell(reader, url)
            expires = reader.expires()
    now = time.time_ns() // 1_000_000
    return told, None if expires is None else tls.days_left(expires, now)


async def test_a_trusted_server_is_read_and_its_days_are_counted(
    certificates: Certificates,
) -> None:
    told, days = await shown(certificates.good(days=30), Tls(ca=certificates.ca))
    assert isinstance(told, ProbeResponse)
    assert days == pytest.approx(30, abs=0.1)


async def test_an_expired_certificate_is_refused_and_its_days_are_negative(
    certificates: Certificates,
) -> None:
    told, days = await shown(certificates.expired(days=3), Tls(ca=certificates.ca))
    assert told == Failure(Outcome.TLS, "the certificate has expired")
    assert days == pytest.approx(-3, abs=0.1)


async def test_a_stranger_is_refused_and_the_reason_is_said(certificates: Certificates) -> None:
    told, days = await shown(certificates.by_a_stranger(), Tls(ca=certificates.ca))
    assert told == Failure(Outcome.TLS, "the certificate's issuer is not trusted")
    assert days is not None


async def test_a_self_signed_certificate_is_refused_and_the_reason_is_said(
    certificates: Certificates,
) -> None:
    told, days = await shown(certificates.self_signed(days=9), Tls(ca=certificates.ca))
    assert told == Failure(Outcome.TLS, "the certificate is self-signed")
    assert days == pytest.approx(9, abs=0.1)


async def test_a_certificate_of_another_host_is_refused(certificates: Certificates) -> None:
    other = certificates.of_another_host()
    told, _ = await shown(other, Tls(ca=certificates.ca))
    assert told == Failure(Outcome.TLS, "the certificate is for another address")
    told, _ = await shown(other, Tls(ca=certificates.ca), host="localhost")
    assert told == Failure(Outcome.TLS, "the certificate is for another host name")


async def test_an_insecure_endpoint_is_read_and_its_days_are_counted_all_the_same(
    certificates: Certificates,
) -> None:
    told, days = await shown(certificates.expired(days=3), Tls(insecure=True))
    assert isinstance(told, ProbeResponse)
    assert days == pytest.approx(-3, abs=0.1)


async def test_a_server_without_tls_is_told_from_one_with_a_bad_certificate() -> None:
    async with hostile() as server:
        url = server.url("/metrics").replace("http:", "https:")
        async with reading(endpoint(url)) as reader:
            told = await tell(reader, url)
            assert reader.expires() is None
    assert told == Failure(Outcome.TLS, "the server does not speak TLS here")


async def test_files_that_cannot_be_used_are_a_named_failure(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    with pytest.raises(RequestError, match="No such file"):
        tls.context(Tls(ca=str(tmp_path / "absent.pem")))
    with pytest.raises(RequestError, match="the tls files cannot be used") as caught:
        tls.context(Tls(ca=str(empty)))
    assert caught.value.failure.outcome is Outcome.TLS


def test_endpoints_that_check_alike_share_one_context() -> None:
    assert tls.context(Tls()) is tls.context(Tls())
    assert tls.context(Tls()) is not tls.context(Tls(insecure=True))


@pytest.mark.parametrize("text", ["", "30", "3080", "30820101", "3082ffff3082ffff" + "00" * 40])
def test_what_is_no_certificate_has_no_date(text: str) -> None:
    assert tls.expiry(bytes.fromhex(text)) is None
