"""Room for as many open connections as there are endpoints."""

from __future__ import annotations

import resource
from contextlib import suppress

SPARE = 200
"""Files that the process needs besides its connections."""

EACH = 2
"""Connections of one endpoint: its serving port and its page's."""


def open_files_limit(endpoints: int, soft: int, hard: int) -> int:
    """The limit of open files for a fleet: never lower than it is, never over the hard one."""
    needed = SPARE + EACH * endpoints
    ceiling = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    return soft if soft == resource.RLIM_INFINITY else max(soft, ceiling)


def raise_open_files_limit(endpoints: int) -> None:
    """Raise this process's own limit as far as it may; many systems begin with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # a container may forbid it: then it is said when it hurts
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_files_limit(endpoints, soft, hard), hard))
