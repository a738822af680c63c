"""Which hosts are this machine, a private network, or an address that no name may resolve to."""

import pytest

from watchdeck.domain.values.host_address import (
    has_long_authority,
    is_ip_address,
    is_link_local_or_metadata,
    is_loopback,
    is_private,
)


@pytest.mark.parametrize(
    ("host", "loopback", "private", "forbidden"),
    [
        pytest.param("localhost", True, True, False, id="this machine by name"),
        pytest.param("127.9.9.9", True, True, False, id="this machine by address"),
        pytest.param("::ffff:127.0.0.1", True, True, False, id="an IPv4 address within IPv6"),
        pytest.param("10.0.0.7", False, True, False, id="a private network"),
        pytest.param("8.8.8.8", False, False, False, id="the internet"),
        pytest.param("169.254.169.254", False, True, True, id="the metadata of a cloud"),
        pytest.param("fd00:ec2::254", False, True, True, id="the metadata of a cloud by IPv6"),
        pytest.param("fe80::1%eth0", False, True, True, id="link-local with an interface"),
        pytest.param("fraud.internal", False, False, False, id="a name, whose address is unknown"),
    ],
)
def test_a_host_has_a_class(host: str, *, loopback: bool, private: bool, forbidden: bool) -> None:
    assert is_loopback(host) is loopback
    assert is_private(host) is private
    assert is_link_local_or_metadata(host) is forbidden


def test_an_address_needs_no_lookup_and_a_name_does() -> None:
    assert is_ip_address("10.0.0.7")
    assert not is_ip_address("10.0.0")


@pytest.mark.parametrize(
    ("url", "is_long"),
    [
        pytest.param(f"http://{'a' * 512}/{'b' * 999}", False, id="the longest host"),
        pytest.param(f"http://{'a' * 513}/", True, id="one character more"),
        pytest.param(f"http://a/{'b' * 999}", False, id="a long path"),
        pytest.param(f"http://a?{'b' * 999}", False, id="a long query"),
    ],
)
def test_an_authority_longer_than_any_host_is_found(url: str, *, is_long: bool) -> None:
    assert has_long_authority(url) is is_long
