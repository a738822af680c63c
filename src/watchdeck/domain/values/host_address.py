"""Classes of host addresses: loopback, private, and those that a host name must not resolve to."""

import ipaddress
import re
from functools import lru_cache

_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("fd00:ec2::254", "100.100.100.200", "168.63.129.16")
)
"""Cloud metadata services outside the link-local ranges: they give credentials to any caller."""


_LONGEST_AUTHORITY = 512
_AUTHORITY_END = re.compile(r"[/?#]")


def is_ip_address(host: str) -> bool:
    """Whether a host is an IP address, which needs no DNS lookup."""
    return _parse_ip(host) is not None


def is_link_local_or_metadata(address: str) -> bool:
    """Whether an address is link-local or a cloud metadata service: no name may resolve to it."""
    ip = _parse_ip(address)
    return ip is not None and (ip.is_link_local or ip in _METADATA)


def is_loopback(host: str) -> bool:
    """Whether a host is the collector's own machine."""
    ip = _parse_ip(host)
    return host == "localhost" or (ip is not None and ip.is_loopback)


def is_private(host: str) -> bool:
    """Whether a host is loopback or in a private network.

    Its pages are not requested compressed: that costs more than it saves.
    """
    ip = _parse_ip(host)
    return host == "localhost" or (ip is not None and ip.is_private)


def has_long_authority(url: str) -> bool:
    """Whether a URL names more than any host can be called, with user and password.

    `urlsplit` normalises the authority, which takes quadratic time for combining characters.
    """
    return len(_AUTHORITY_END.split(url.partition("//")[2], maxsplit=1)[0]) > _LONGEST_AUTHORITY


@lru_cache(maxsize=4_096)
def _parse_ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        ip = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip
