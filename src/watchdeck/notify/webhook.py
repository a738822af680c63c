"""A webhook: a CloudEvents 1.0 event as structured JSON, for whoever can read one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from watchdeck.domain.notifications.notification import MOST, Notification, NotificationClass
from watchdeck.domain.settings.receivers import Channel
from watchdeck.domain.values.secret import Secret, SecretResolver
from watchdeck.errors import WatchdeckError
from watchdeck.notify.http_post import HttpSender, ReceiverRequest
from watchdeck.notify.result import DeliveryResult, TryAgain, result_of

_TYPES = {one: f"dev.watchdeck.alert.{one}.v1" for one in NotificationClass} | {
    NotificationClass.CALL: "dev.watchdeck.alert.firing.v1"
}
_TIMES = ("at", "started_at", "acknowledged_until")


class WebhookNotifier:
    """Sends letters to one address; the same letter always has the same id."""

    def __init__(
        self, channel: Channel, post: HttpSender, reveal: SecretResolver, source: str
    ) -> None:
        self._channel = channel
        self._post = post
        self._reveal = reveal
        self._source = source

    async def __call__(self, letter: Notification) -> DeliveryResult:
        """Post it; the receiver may drop what it has had under this id."""
        try:
            url = resolve_address(self._channel.url or "", self._reveal)
            own = {
                name: resolve_address(value, self._reveal)
                for name, value in self._channel.headers.items()
            }
            headers = {
                "content-type": "application/cloudevents+json; charset=utf-8",
                "idempotency-key": letter.id,
                **own,
            }
            content = json.dumps(event(letter, self._source)).encode()
            answer = await self._post.ask(ReceiverRequest(url, "POST", headers, content))
        except WatchdeckError as error:
            return TryAgain(str(error))
        return result_of(answer, _secrets(url, own.values()))


def _secrets(url: str, headers: Iterable[str]) -> tuple[str, ...]:
    """What of an address and of headers no answer may bring into our words."""
    sent = tuple(headers)
    words = (text.rpartition(" ")[2] for text in sent)
    return (url, urlsplit(url).password or "", *sent, *words)


def resolve_address(value: str | Secret, reveal: SecretResolver) -> str:
    """A setting's value, with what its secret holds. Raises SecretError."""
    return value if isinstance(value, str) else f"{value.prefix}{reveal(value)}"


def event(letter: Notification, source: str) -> dict[str, Any]:
    """A letter as a CloudEvent; `source` and `id` together name it for good."""
    more = len(letter.alerts) - MOST
    about = ",".join(str(number) for number in letter.episodes[:MOST])
    return {
        "specversion": "1.0",
        "id": letter.id,
        "source": source,
        "type": _TYPES[letter.kind],
        "subject": about or letter.id,
        "time": rfc3339(letter.at),
        "datacontenttype": "application/json",
        "data": {
            "title": letter.title,
            "severity": int(letter.severity),
            "alerts": [_readable(alert) for alert in letter.alerts[:MOST]],
            "more": max(0, more),
        },
    }


def rfc3339(at: int) -> str:
    """A time (ms UTC) as RFC 3339."""
    text = datetime.fromtimestamp(at / 1_000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _readable(alert: Mapping[str, Any]) -> dict[str, Any]:
    return dict(alert) | {name: rfc3339(alert[name]) for name in _TIMES if name in alert}
