"""Who else looks at the same store: told by one small file a console, and never part of state."""

from __future__ import annotations

from msgspec import Struct

RENEW = 10_000
"""Every so many ms a console says that it is still there."""

GONE = 3 * RENEW
"""A console that was silent for so many ms is not there any more."""


class Presence(Struct, frozen=True):
    """One console: who sits at it, where they look, since when and last heard of (ms UTC)."""

    who: str
    view: str
    since: int
    at: int


def there(found: tuple[Presence, ...], now: int) -> tuple[Presence, ...]:
    """Those who were heard of lately, the longest there first."""
    lately = (one for one in found if abs(now - one.at) < GONE)
    return tuple(sorted(lately, key=lambda one: (one.since, one.who, one.view)))
