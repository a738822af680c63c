"""PagerDuty's Events API v2: trigger before acknowledge before resolve, by one key a letter."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from watchdeck.domain.notifications.notification import Notification, NotificationClass
from watchdeck.domain.settings.receivers import Channel
from watchdeck.domain.values.secret import SecretResolver
from watchdeck.domain.values.severity import Severity
from watchdeck.errors import WatchdeckError
from watchdeck.notify.http_post import HttpSender, ReceiverRequest
from watchdeck.notify.result import DeliveryResult, GiveUp, Sent, TryAgain, result_of
from watchdeck.notify.webhook import resolve_address, rfc3339
from watchdeck.store.alerts.conversations import NotifiedGroup

EVENTS = "https://events.pagerduty.com/v2/enqueue"
BY_PHONE = "pagerduty: "
"""What stands before the name of somebody who acknowledged there."""

_LONGEST = 1_024
_LARGEST = 500_000
"""Bytes of an event; PagerDuty takes 512 KB."""

_WORDS = {
    Severity.CRITICAL: "critical",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "info",
}

Threads = Callable[[Notification], Awaitable[tuple[NotifiedGroup, ...]]]


class PagerDutyNotifier:
    """Sends letters to one service of PagerDuty.

    What was told together has one key, so it is acknowledged when all of it is, and resolved when
    all of it is over. Nothing there takes an acknowledgement back: what must be heard again has a
    key of its own.
    """

    def __init__(
        self, channel: Channel, post: HttpSender, reveal: SecretResolver, threads: Threads
    ) -> None:
        self._channel = channel
        self._post = post
        self._reveal = reveal
        self._threads = threads
        self._told: dict[str, set[str]] = {}

    async def __call__(self, letter: Notification) -> DeliveryResult:
        """Send what follows from a letter; each event may come twice, and then changes nothing.

        What was taken of a letter is not sent again with its rest: PagerDuty counts events.
        """
        told = self._told.setdefault(letter.id, set())
        end: DeliveryResult = Sent()
        for event in await self._events(letter):
            if event["dedup_key"] in told:
                continue
            outcome = await self._send(event)
            if isinstance(outcome, TryAgain):
                return outcome
            end = outcome if isinstance(outcome, GiveUp) else end
            told.add(event["dedup_key"])
        del self._told[letter.id]
        return end

    async def _events(self, letter: Notification) -> list[dict[str, Any]]:
        if letter.kind is NotificationClass.CALL:
            return [trigger(letter)]
        if letter.kind is NotificationClass.RESOLVED:
            threads = await self._threads(letter)
            return [_about(thread, "resolve") for thread in threads if thread.over]
        if letter.kind is NotificationClass.ACKNOWLEDGED and not _from_there(letter):
            threads = await self._threads(letter)
            return [_about(one, "acknowledge") for one in threads if one.taken and not one.over]
        return []

    async def _send(self, event: dict[str, Any]) -> DeliveryResult:
        try:
            if self._channel.routing_key is None:
                return TryAgain("the channel has no routing_key")
            key = resolve_address(self._channel.routing_key, self._reveal)
            url = resolve_address(self._channel.url or EVENTS, self._reveal)
            content = json.dumps(event | {"routing_key": key}).encode()
            headers = {"content-type": "application/json"}
            answer = await self._post.ask(ReceiverRequest(url, "POST", headers, content))
        except WatchdeckError as error:
            return TryAgain(str(error))
        return result_of(answer, (key, url))


def key_of(letter_id: str) -> str:
    """The dedup_key of what was told under an id; at most 255 characters."""
    return f"watchdeck/{letter_id}"[:255]


def trigger(letter: Notification) -> dict[str, Any]:
    """The event that calls somebody."""
    first = letter.alerts[0]
    payload = {
        "summary": letter.title[:_LONGEST],
        "source": first.get("model") or first.get("source", "watchdeck"),
        "severity": _WORDS[letter.severity],
        "timestamp": rfc3339(letter.at),
        "component": first.get("model", ""),
        "group": first.get("labels", {}).get("owner", ""),
        "class": first.get("rule", ""),
        "custom_details": {"alerts": list(letter.lines), "episodes": list(letter.episodes)},
    }
    runbook = first.get("runbook", "")
    links = [{"href": runbook, "text": "Runbook"}] if runbook.startswith("http") else []
    event = {
        "event_action": "trigger",
        "dedup_key": key_of(letter.id),
        "client": "watchdeck",
        "payload": payload,
        "links": links,
    }
    if len(json.dumps(event)) > _LARGEST:
        payload["custom_details"] = {"alerts": f"{len(letter.alerts)}, too long to list"}
    return event


def _about(thread: NotifiedGroup, action: str) -> dict[str, Any]:
    return {"event_action": action, "dedup_key": key_of(thread.fold)}


def _from_there(letter: Notification) -> bool:
    """Whether all of an acknowledgement was made in PagerDuty: it need not be told."""
    return all(alert.get("acknowledged_by", "").startswith(BY_PHONE) for alert in letter.alerts)
