import pytest

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.values import host_address as reach
from watchdeck.net import address
from watchdeck.net.address import Origin, Url, parse_url
from watchdeck.net.failure import RequestError


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://a.example", "http://a.example/"),
        ("http://me:secret@a.example:80/x", "http://a.example/x"),
        ("https://[::1]:8443/v2?key=1", "https://[::1]:8443/v2?key=1"),
        ("http://bücher.example/ä b", "http://xn--bcher-kva.example/%C3%A4%20b"),
        ("http://a.example/a%20b\\c", "http://a.example/a%20b%5Cc"),
    ],
)
def test_an_address_is_shown_plainly_and_without_its_user(url: str, shown: str) -> None:
    assert str(parse_url(url)) == shown


@pytest.mark.parametrize(
    "url", ["", "a.example", "ftp://a.example", "http://", "http://a:99999/", "http://[::1", "x:y"]
)
def test_what_is_no_address_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_url(url)
    assert caught.value.failure.outcome is Outcome.UNREACHABLE


def test_a_path_is_below_the_address_and_another_port_has_its_own_root() -> None:
    base = parse_url("http://gate.example/fraud/?x=1")
    assert str(base.at("/v2/models/a b/ready")) == "http://gate.example/fraud/v2/models/a%20b/ready"
    assert str(base.at("/metrics", 8082)) == "http://gate.example:8082/metrics"


def test_a_path_is_told_without_its_query() -> None:
    assert parse_url("http://a.example/x?key=s3cret").path == "/x"


def test_nothing_in_a_target_ends_a_line() -> None:
    there = parse_url("http://a.example/").at("/x\r\nEvil: 1")
    assert there == Url(Origin("http", "a.example", 80), "/x%0D%0AEvil:%201")


@pytest.mark.parametrize(
    ("host", "loopback", "near", "forbidden"),
    [
        ("localhost", True, True, False),
        ("127.0.0.9", True, True, False),
        ("::1", True, True, False),
        ("10.1.2.3", False, True, False),
        ("203.0.113.9", False, True, False),
        ("8.8.8.8", False, False, False),
        ("a.example", False, False, False),
        ("169.254.0.1", False, True, True),
        ("100.100.100.200", False, False, True),
    ],
)
def test_hosts_are_told_apart(host: str, *, loopback: bool, near: bool, forbidden: bool) -> None:
    assert reach.is_loopback(host) is loopback
    assert reach.is_private(host) is near
    assert reach.is_link_local_or_metadata(host) is forbidden


def test_user_and_password_are_found_once_and_unquoted() -> None:
    assert address.userinfo("http://me:p%40ss@a.example/") == ("me", "p@ss")
    assert address.userinfo("http://me@a.example/") == ("me", "")
    assert address.userinfo("http://a.example/") is None
    assert address.userinfo("http://[::1") is None


@pytest.mark.parametrize("host", ["a." * 127, "é" * 5_000])
def test_a_host_longer_than_dns_allows_is_refused(host: str) -> None:
    with pytest.raises(RequestError, match="cannot be read"):
        parse_url(f"http://{host}")
