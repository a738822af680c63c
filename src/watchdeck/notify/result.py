"""The result of a delivery attempt: sent, try again, or give up."""

import http.client
from typing import Protocol

from msgspec import Struct

from watchdeck.domain.notifications.outbox import Notification
from watchdeck.domain.values.secret import private_url_secrets
from watchdeck.domain.values.text import clean
from watchdeck.redaction import SecretFilter, redact

_MAX_TEXT = 8_000
"""Bytes of a response that are searched for secrets; far less of it is shown."""

_REFUSED = frozenset({400, 405, 406, 413, 414, 415, 422})
"""Statuses that refuse this notification: a retry would be refused again."""

HOLD_STATUSES = frozenset({429, 503})
"""Statuses that mean the receiver is busy: other notifications would be refused, too."""

LONGEST_WAIT = 300_000
"""Milliseconds of the longest wait between two attempts, whatever a receiver asks for: with an
hour, it could hold back the pages of an hour."""


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


def result_of(response: ReceiverResponse, url: str = "") -> DeliveryResult:
    """The result that a response stands for; its text is cleaned, and without secrets.

    No part of the receiver's `url` is repeated but its host.
    """
    if response.is_success:
        return Sent()
    why = f"{response.status} {http.client.responses.get(response.status, '')}".rstrip()
    if 300 <= response.status < 400:
        return TryAgain(f"{why}: redirects are not followed")
    address = SecretFilter(private_url_secrets(url))
    text = address.redact(redact(response.body[:_MAX_TEXT].decode("utf-8", "replace"))).strip()
    why = clean(f"{why}: {text}" if text else why, 200)
    if response.status in _REFUSED:
        return GiveUp(why)
    return TryAgain(why, response.retry_after, hold=response.status in HOLD_STATUSES)
