"""The result of a delivery attempt: sent, try again, or give up."""

import http.client
from collections.abc import Iterator
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct

from watchdeck.domain.notifications.outbox import Notification
from watchdeck.domain.values.text import clean

HIDDEN = "(secret)"
_MIN_SECRET = 4
"""Characters of the shortest secret that is hidden: a shorter one is part of every text."""

_MIN_SEGMENT = 8
"""Characters of the shortest part of a path that may be a key; `/api/` and `/hooks/` are none."""

_REFUSED = frozenset({400, 405, 406, 413, 414, 415, 422})
"""Statuses that refuse this notification: a retry would be refused again."""

_HOLD = frozenset({429, 503})
"""Statuses that mean the receiver is busy: other notifications would be refused, too."""


class Sent(Struct, frozen=True):
    """The receiver accepted the notification, or there was nothing to send to it."""


class TryAgain(Struct, frozen=True):
    """The attempt failed and may succeed later."""

    why: str
    after: int | None = None
    """Milliseconds that the receiver asked to wait; None when it did not."""
    hold: bool = False
    """Whether the channel should get no other notification before the next attempt."""


class GiveUp(Struct, frozen=True):
    """The receiver refused the notification for good."""

    why: str


DeliveryResult = Sent | TryAgain | GiveUp


class Notifier(Protocol):
    """Sends to one channel; never retries, but returns whether a retry makes sense."""

    async def __call__(self, notification: Notification) -> DeliveryResult:
        """Send a notification once; a retry has the same id."""


class ReceiverResponse(Struct, frozen=True):
    """The HTTP response of a receiver; `retry_after` in ms, the body cut at 64 KiB."""

    status: int
    retry_after: int | None = None
    body: bytes = b""

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300


def result_of(response: ReceiverResponse, secrets: tuple[str, ...]) -> DeliveryResult:
    """The result that a response stands for; its text is cleaned, and without secrets."""
    if response.is_success:
        return Sent()
    why = f"{response.status} {http.client.responses.get(response.status, '')}".rstrip()
    if 300 <= response.status < 400:
        return TryAgain(f"{why}: redirects are not followed")
    text = redact(response.body[:2_000].decode("utf-8", "replace"), secrets).strip()
    why = clean(f"{why}: {text}" if text else why, 200)
    if response.status in _REFUSED:
        return GiveUp(why)
    return TryAgain(why, response.retry_after, hold=response.status in _HOLD)


def address_secrets(url: str) -> tuple[str, ...]:
    """The parts of a receiver's address that no text may repeat, as sent and decoded.

    The key of many receivers is in the path, and a 404 often repeats the path alone.
    """
    return tuple({form for part in _address_parts(url) for form in (part, unquote(part)) if part})


def _address_parts(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    yield from (url, target, parts.query, parts.username or "", parts.password or "")
    yield from (part for part in parts.path.split("/") if len(part) >= _MIN_SEGMENT)
    yield from (value for _, value in parse_qsl(parts.query))


def redact(text: str, secrets: tuple[str, ...]) -> str:
    """The text with each secret replaced: a receiver may repeat secrets that were sent to it."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN) if len(secret) >= _MIN_SECRET else text
    return text
