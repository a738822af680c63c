"""Where an address leads: to this machine, to one nearby, or where no name may lead."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("fd00:ec2::254", "100.100.100.200", "168.63.129.16")
)
"""Cloud metadata services outside the link-local ranges: they hand credentials to anyone."""


def is_ip_address(host: str) -> bool:
    """Whether a host is an address already, and needs no look-up."""
    return _ip(host) is not None


def is_link_local(address: str) -> bool:
    """Whether a name must not lead here: link-local addresses and metadata services."""
    ip = _ip(address)
    return ip is not None and (ip.is_link_local or ip in _METADATA)


def loopback(host: str) -> bool:
    """Whether this is the collector's own machine."""
    ip = _ip(host)
    return host == "localhost" or (ip is not None and ip.is_loopback)


def is_private(host: str) -> bool:
    """Whether a host is loopback or private, where compressing costs more than it saves."""
    ip = _ip(host)
    return host == "localhost" or (ip is not None and ip.is_private)


@lru_cache(maxsize=4_096)
def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        ip = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip
