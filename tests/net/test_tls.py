import asyncio
import ssl
import time
from contextlib import suppress
from pathlib import Path

import pytest

from net.clients import PATIENT, ask, endpoint, reading, tell
from servers.certificates import Certificates
from servers.hostile import hostile
from watchdeck.domain.kinds.kind import ProbeResponse
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.values.secret import Tls
from watchdeck.net import tls
from watchdeck.net.failure import Failure, RequestError, failure_of
from watchdeck.net.tls_layer import TlsLayer


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


async def test_a_handshake_that_is_cut_off_is_named() -> None:
    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.close()

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    async with server:
        told = await ask(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/", PATIENT)
    assert told == Failure(Outcome.TLS, "TLS failed: the handshake was cut off")


def asking_for_a_certificate(certificates: Certificates) -> ssl.SSLContext:
    context = certificates.good()
    context.load_verify_locations(certificates.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


async def test_a_client_certificate_is_shown_to_the_server_that_asks_for_one(
    certificates: Certificates, tmp_path: Path
) -> None:
    mine = certificates.client(tmp_path)
    checks = Tls(ca=certificates.ca, certificate=mine, key=mine)
    told, _ = await shown(asking_for_a_certificate(certificates), checks)
    assert isinstance(told, ProbeResponse)


def test_a_certificate_that_is_asked_for_and_missing_is_named(certificates: Certificates) -> None:
    """The server's alert comes after the handshake, which for the client is done."""
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = asking_for_a_certificate(certificates).wrap_bio(received, sent, server_side=True)
    client = TlsLayer(tls.context(Tls(ca=certificates.ca)), "127.0.0.1")
    failures: list[Failure] = []
    for _ in range(3):
        try:
            client.receive(memoryview(sent.read()), lambda _: None)
        except ssl.SSLError as error:
            failures.append(failure_of(error, Failure(Outcome.TLS, "another")))
        received.write(client.take_outgoing())
        with suppress(ssl.SSLError):
            server.do_handshake()
    assert client.secured
    assert failures == [Failure(Outcome.TLS, "the server asks for a client certificate")]
