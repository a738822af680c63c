"""What comes of telling somebody: it arrived, try again, or give up."""

from __future__ import annotations

import http.client
from typing import Protocol

from msgspec import Struct

from watchdeck.domain.notifications.notification import Notification
from watchdeck.domain.values.text import clean

HIDDEN = "(secret)"
_SHORTEST = 4
"""Characters of a secret that is worth hiding: a shorter one is in every text."""

_REFUSED = frozenset({400, 405, 406, 413, 414, 415, 422})
"""Statuses that mean the message itself: the same again would be refused again."""

_HOLD = frozenset({429, 503})
"""Statuses that mean the receiver: all others in line for it would only be refused too."""


class Sent(Struct, frozen=True):
    """It arrived, or there was nothing to tell this receiver of."""


class TryAgain(Struct, frozen=True):
    """It did not arrive, and may later; `after` (ms) is what the receiver asked for.

    `hold` tells that nothing else should be sent there meanwhile.
    """

    why: str
    after: int | None = None
    hold: bool = False


class GiveUp(Struct, frozen=True):
    """It was refused for good."""

    why: str


DeliveryResult = Sent | TryAgain | GiveUp


class Notifier(Protocol):
    """Somebody who can be told; says whether a retry makes sense, and never retries itself."""

    async def __call__(self, letter: Notification) -> DeliveryResult:
        """Tell it; the same letter may come again, with the same id."""


class ReceiverResponse(Struct, frozen=True):
    """What a receiver answered; `retry_after` in ms, the body cut."""

    status: int
    retry_after: int | None = None
    body: bytes = b""

    @property
    def good(self) -> bool:
        """Whether it was taken."""
        return 200 <= self.status < 300


def result_of(answer: ReceiverResponse, secrets: tuple[str, ...]) -> DeliveryResult:
    """What an answer means for the message; its words are cleaned and without secrets."""
    if answer.good:
        return Sent()
    why = f"{answer.status} {http.client.responses.get(answer.status, '')}".rstrip()
    if 300 <= answer.status < 400:
        return TryAgain(f"{why}: redirects are not followed")
    said = redact(answer.body[:2_000].decode("utf-8", "replace"), secrets).strip()
    why = clean(f"{why}: {said}" if said else why, 200)
    if answer.status in _REFUSED:
        return GiveUp(why)
    return TryAgain(why, answer.retry_after, hold=answer.status in _HOLD)


def redact(text: str, secrets: tuple[str, ...]) -> str:
    """The text without secrets: who is told may repeat what they were told with."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN) if len(secret) >= _SHORTEST else text
    return text
