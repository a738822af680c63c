"""PagerDuty: notifications as events (Events API v2), and acknowledgements made there."""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.notifications.message import MessageKind
from watchdeck.domain.notifications.outbox import OVER, Notification, NotificationClass
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.settings.receivers import Channel
from watchdeck.domain.values.secret import SecretResolver
from watchdeck.domain.values.text import clean
from watchdeck.errors import WatchdeckError
from watchdeck.notify.http_post import HttpSender, ReceiverRequest
from watchdeck.notify.result import (
    DeliveryResult,
    GiveUp,
    Sent,
    TryAgain,
    result_of,
)
from watchdeck.notify.webhook import resolve_address, resolve_header, rfc3339
from watchdeck.store.alerts.outbox import (
    NotifiedGroup,
    read_first_group,
    read_notified_groups,
)
from watchdeck.store.files.connection import Connection
from watchdeck.store.worker import StoreWorker

EVENTS_URL = "https://events.pagerduty.com/v2/enqueue"
ACK_PREFIX = "pagerduty: "
"""The prefix of an operator's name when the acknowledgement was made in PagerDuty."""

_MAX_SUMMARY = 1_024
_MAX_EVENT = 500_000
"""Bytes of an event; the limit of PagerDuty is 512 KB."""

_JOINING = (MessageKind.RETURNED, MessageKind.REPEATED)
"""Messages under the key of the first page of their episode."""

_SEVERITIES = {
    Severity.CRITICAL: "critical",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "info",
}


class PagerDutyNotifier:
    """Sends notifications to one service of PagerDuty.

    All episodes of one notification share one incident: it is acknowledged when all of them are,
    and resolved when all of them have ended. PagerDuty cannot withdraw an acknowledgement, so an
    alert that must page again gets a new incident. One that fires again after its end was told
    gets its first incident again: after a resolve, the same key opens a new one there. A test
    opens an incident, and resolves it.
    """

    def __init__(
        self, channel: Channel, http: HttpSender, resolve: SecretResolver, worker: StoreWorker
    ) -> None:
        self._channel = channel
        self._http = http
        self._resolve = resolve
        self._worker = worker
        self._accepted: dict[str, set[str]] = {}
        self._makers = {
            NotificationClass.CALL: self._calls,
            NotificationClass.TEST: self._test,
            NotificationClass.RESOLVED: self._resolved,
            NotificationClass.ACKNOWLEDGED: self._acknowledged,
        }

    async def __call__(self, notification: Notification) -> DeliveryResult:
        """Send the events of a notification; PagerDuty ignores a repeated event.

        A retry leaves out the events that were accepted: PagerDuty limits events per minute.
        """
        accepted = self._accepted.setdefault(notification.id, set())
        end: DeliveryResult = Sent()
        for event in await self._events(notification):
            event_id = f"{event['event_action']} {event['dedup_key']}"
            if event_id in accepted:
                continue
            result = await self._send(event)
            if isinstance(result, TryAgain):
                return result
            end = result if isinstance(result, GiveUp) else end
            accepted.add(event_id)
        del self._accepted[notification.id]
        return end

    async def _events(self, notification: Notification) -> list[dict[str, Any]]:
        make = self._makers.get(notification.kind)
        return [] if make is None else await make(notification)

    async def _test(self, notification: Notification) -> list[dict[str, Any]]:
        return [trigger_event(notification), _event(notification.id, "resolve")]

    async def _resolved(self, notification: Notification) -> list[dict[str, Any]]:
        if not notification.episodes:
            return [_event(notification.id.removesuffix(OVER), "resolve")]
        return [
            _group_event(one, "resolve") for one in await self._groups(notification) if one.is_over
        ]

    async def _acknowledged(self, notification: Notification) -> list[dict[str, Any]]:
        if _is_acknowledged_there(notification):
            return []
        groups = await self._groups(notification)
        silenced = {
            alert["episode"]
            for alert in notification.alerts
            if alert.get("kind") == MessageKind.SILENCED
        }
        acknowledged = [
            one for one in groups if silenced.issuperset(one.unacknowledged) and not one.is_over
        ]
        return [_group_event(one, "acknowledge") for one in acknowledged]

    async def _groups(self, notification: Notification) -> tuple[NotifiedGroup, ...]:
        return await self._worker.run(
            lambda db: read_notified_groups(db, notification.channel, notification.episodes)
        )

    async def _calls(self, notification: Notification) -> list[dict[str, Any]]:
        """Trigger events: one for the new alerts, and one for each incident that opens again."""
        joins = any(alert.get("kind") in _JOINING for alert in notification.alerts)
        firsts = await self._worker.run(lambda db: _first_groups(db, notification)) if joins else {}
        incidents: dict[str, list[Mapping[str, Any]]] = {}
        for alert in notification.alerts:
            group = firsts.get(alert["episode"])
            incidents.setdefault(group.group if group else notification.id, []).append(alert)
        events = [
            trigger_event(replace(notification, id=key, alerts=tuple(alerts)))
            for key, alerts in incidents.items()
        ]
        taken = {one.group: one for one in firsts.values() if one.open and one.is_acknowledged}
        return events + [_group_event(one, "acknowledge") for one in taken.values()]

    async def _send(self, event: dict[str, Any]) -> DeliveryResult:
        try:
            if self._channel.routing_key is None:
                return TryAgain("the channel has no routing_key")
            key = resolve_header("routing_key", self._channel.routing_key, self._resolve)
            url = resolve_address(self._channel.url or EVENTS_URL, self._resolve)
            content = json.dumps(event | {"routing_key": key}).encode()
            headers = {"content-type": "application/json"}
            response = await self._http.send(ReceiverRequest(url, "POST", headers, content))
        except WatchdeckError as error:
            return TryAgain(str(error))
        return result_of(response, url)


def dedup_key(notification_id: str) -> str:
    """The PagerDuty incident key of a notification; at most 255 characters."""
    return f"watchdeck/{notification_id}"[:255]


def trigger_event(notification: Notification) -> dict[str, Any]:
    """The `trigger` event of a notification: it pages somebody."""
    first = notification.alerts[0]
    payload = {
        "summary": notification.title[:_MAX_SUMMARY],
        "source": first.get("model") or first.get("source", "watchdeck"),
        "severity": _SEVERITIES[notification.severity],
        "timestamp": rfc3339(notification.at),
        "component": first.get("model", ""),
        "group": first.get("labels", {}).get("owner", ""),
        "class": first.get("rule", ""),
        "custom_details": {
            "alerts": list(notification.lines),
            "episodes": list(dict.fromkeys(alert["episode"] for alert in notification.alerts)),
        },
    }
    runbook = first.get("runbook", "")
    links = [{"href": runbook, "text": "Runbook"}] if runbook.startswith("http") else []
    event = {
        "event_action": "trigger",
        "dedup_key": dedup_key(notification.id),
        "client": "watchdeck",
        "payload": payload,
        "links": links,
    }
    if len(json.dumps(event)) > _MAX_EVENT:
        payload["custom_details"] = {"alerts": f"{len(notification.alerts)}, too long to list"}
    return event


def _first_groups(db: Connection, notification: Notification) -> dict[int, NotifiedGroup]:
    """The first groups of the alerts that page under their first key, by episode."""
    found = {
        alert["episode"]: read_first_group(db, notification.channel, alert["episode"])
        for alert in notification.alerts
        if alert.get("kind") in _JOINING
    }
    return {episode: group for episode, group in found.items() if group is not None}


def _group_event(group: NotifiedGroup, action: str) -> dict[str, Any]:
    return _event(group.group, action)


def _event(notification_id: str, action: str) -> dict[str, Any]:
    return {"event_action": action, "dedup_key": dedup_key(notification_id)}


def _is_acknowledged_there(notification: Notification) -> bool:
    """Whether the acknowledgement came from PagerDuty, which then needs no event."""
    return all(
        alert.get("acknowledged_by", "").startswith(ACK_PREFIX) for alert in notification.alerts
    )


API_URL = "https://api.pagerduty.com"


_KEYS_PER_POLL = 20
"""Limit of incidents in one poll; the next poll continues with the rest."""


SaveAck = Callable[[tuple[int, ...], str, str], Awaitable[None]]
"""Saves an acknowledgement: the episodes, the operator, and the note."""


class RemoteAck(Struct, frozen=True):
    """An acknowledgement made in PagerDuty: who, when (ms UTC, 0 when unknown), and a note."""

    name: str
    note: str
    at: int = 0


class PagerDutyAckPoller:
    """Polls PagerDuty for the acknowledgements of one channel.

    An incident that is resolved there while its alert fires counts as acknowledged: only a good
    sample or an operator of watchdeck ends an episode. When an acknowledgement was ended in
    watchdeck, those made in PagerDuty before that are ignored.
    """

    def __init__(
        self, channel: Channel, http: HttpSender, resolve: SecretResolver, save: SaveAck
    ) -> None:
        self._channel = channel
        self._http = http
        self._resolve = resolve
        self._save = save
        self._polls = 0
        self.problem = ""

    async def poll(self, groups: tuple[NotifiedGroup, ...]) -> None:
        """Read and save the acknowledgements of the next few groups; each call goes on from there.

        A failure sets `problem` and ends the poll.
        """
        self.problem = ""
        start = self._polls * _KEYS_PER_POLL % max(1, len(groups))
        self._polls += 1
        for group in groups[start : start + _KEYS_PER_POLL]:
            try:
                ack = await self._read_ack(dedup_key(group.group))
                if ack is not None and (ack.at > group.released_at or not group.released_at):
                    await self._save(group.unacknowledged, f"{ACK_PREFIX}{ack.name}", ack.note)
            except WatchdeckError as error:
                self.problem = f"{self._channel.name} cannot be asked who has what: {error}"
                return

    async def _read_ack(self, key: str) -> RemoteAck | None:
        """The acknowledgement of the incident with this key; None when there is none."""
        if self._channel.token is None:
            return None
        token = resolve_header("token", self._channel.token, self._resolve)
        api = self._channel.api or API_URL
        headers = {
            "authorization": f"Token token={token}",
            "accept": "application/vnd.pagerduty+json;version=2",
        }
        url = f"{api.rstrip('/')}/incidents?{urlencode({'incident_key': key, 'limit': 5})}"
        response = await self._http.send(ReceiverRequest(url, headers=headers))
        result = result_of(response)
        if not isinstance(result, Sent):
            raise WatchdeckError(result.why)
        return remote_ack(response.body, key)


def remote_ack(body: bytes, key: str) -> RemoteAck | None:
    """The acknowledgement of an incident, from the response to `GET /incidents`.

    None when no person acknowledged or resolved it: services and time limits do not count. Raises
    WatchdeckError when the response has an unknown form.
    """
    try:
        incidents = json.loads(body)["incidents"]
        found = [one for one in incidents if one.get("incident_key", key) == key]
        return next(filter(None, map(_ack_of, found)), None)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise WatchdeckError("its response has an unknown form") from None


def _ack_of(incident: Mapping[str, Any]) -> RemoteAck | None:
    if incident["status"] == "acknowledged":
        made = incident.get("acknowledgements", ())
        acks = [(one["acknowledger"], one.get("at")) for one in made]
        note = "acknowledged in PagerDuty"
    elif incident["status"] == "resolved":
        at = incident.get("last_status_change_at")
        acks = [(incident.get("last_status_change_by") or {}, at)]
        note = "resolved in PagerDuty while it still fires"
    else:
        return None
    people = [(who, at) for who, at in acks if str(who.get("type", "")).startswith("user")]
    if not people:
        return None
    who, at = people[-1]
    return RemoteAck(clean(str(who.get("summary") or who.get("id")), 80), note, _parse_time(at))


def _parse_time(text: object) -> int:
    """An ISO 8601 text as ms UTC; 0 when it is not one, or has no time zone."""
    try:
        at = datetime.fromisoformat(str(text)[:40])
        return round(at.timestamp() * 1_000) if at.tzinfo else 0
    except (ValueError, OverflowError):
        return 0
