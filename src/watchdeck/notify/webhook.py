"""Webhooks: each notification as a CloudEvents 1.0 event in structured JSON."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from watchdeck.domain.notifications.outbox import MAX_LINES, Notification, NotificationClass
from watchdeck.domain.settings.receivers import Channel
from watchdeck.domain.values.secret import Secret, SecretResolver
from watchdeck.errors import WatchdeckError
from watchdeck.notify.http_post import HttpSender, ReceiverRequest
from watchdeck.notify.result import DeliveryResult, TryAgain, result_of
from watchdeck.redaction import remember_address, remember_header

_TYPES = {one: f"dev.watchdeck.alert.{one}.v1" for one in NotificationClass} | {
    NotificationClass.CALL: "dev.watchdeck.alert.firing.v1"
}
_TIMES = ("at", "started_at", "acknowledged_until")


class WebhookNotifier:
    """Posts notifications to the URL of a channel; a retry has the same id."""

    def __init__(
        self, channel: Channel, http: HttpSender, resolve: SecretResolver, source: str
    ) -> None:
        self._channel = channel
        self._http = http
        self._resolve = resolve
        self._source = source

    async def __call__(self, notification: Notification) -> DeliveryResult:
        """Post a notification; its idempotency-key header lets the receiver drop a duplicate."""
        try:
            url = resolve_address(self._channel.url or "", self._resolve)
            configured = {
                name: resolve_header(name, value, self._resolve)
                for name, value in self._channel.headers.items()
            }
            headers = {
                "content-type": "application/cloudevents+json; charset=utf-8",
                "idempotency-key": notification.id,
                **configured,
            }
            content = json.dumps(cloud_event(notification, self._source)).encode()
            response = await self._http.send(ReceiverRequest(url, "POST", headers, content))
        except WatchdeckError as error:
            return TryAgain(str(error))
        return result_of(response, url)


def resolve_address(value: str | Secret, resolve: SecretResolver) -> str:
    """The address of a receiver, its secret filled in; keys in it are hidden from then on.

    Raises SecretError.
    """
    url = value if isinstance(value, str) else f"{value.prefix}{resolve(value)}"
    remember_address(url)
    return url


def resolve_header(name: str, value: str | Secret, resolve: SecretResolver) -> str:
    """The text of a header or token, its secret filled in, and hidden from then on.

    Raises SecretError.
    """
    text = value if isinstance(value, str) else f"{value.prefix}{resolve(value)}"
    remember_header(name, text)
    return text


def cloud_event(notification: Notification, source: str) -> dict[str, Any]:
    """A notification as a CloudEvent, which its `source` and `id` together identify."""
    more = len(notification.alerts) - MAX_LINES
    about = ",".join(str(number) for number in notification.episodes[:MAX_LINES])
    return {
        "specversion": "1.0",
        "id": notification.id,
        "source": source,
        "type": _TYPES[notification.kind],
        "subject": about or notification.id,
        "time": rfc3339(notification.at),
        "datacontenttype": "application/json",
        "data": {
            "title": notification.title,
            "severity": int(notification.severity),
            "alerts": [_with_rfc3339_times(alert) for alert in notification.alerts[:MAX_LINES]],
            "more": max(0, more),
        },
    }


def rfc3339(at: int) -> str:
    """A time (ms UTC) as RFC 3339 text."""
    text = datetime.fromtimestamp(at / 1_000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _with_rfc3339_times(alert: Mapping[str, Any]) -> dict[str, Any]:
    return dict(alert) | {name: rfc3339(alert[name]) for name in _TIMES if name in alert}
