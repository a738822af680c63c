"""What people did in PagerDuty, on the phone: an acknowledgement there is one here."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct

from watchdeck.domain.settings.receivers import Channel
from watchdeck.domain.values.secret import SecretResolver
from watchdeck.domain.values.text import clean
from watchdeck.errors import WatchdeckError
from watchdeck.notify.http_post import HttpSender, ReceiverRequest
from watchdeck.notify.pagerduty import BY_PHONE, key_of
from watchdeck.notify.result import Sent, result_of
from watchdeck.notify.webhook import resolve_address
from watchdeck.store.alerts.conversations import NotifiedGroup

API = "https://api.pagerduty.com"

_ASKED = 20
"""Keys asked for in one turn; the rest have theirs in the next."""

Taken = Callable[[tuple[int, ...], str, str], Awaitable[None]]
"""Told of episodes, who has them, and what to note beside it."""


class RemoteAck(Struct, frozen=True):
    """Who has an incident there, since when (ms UTC, 0 when unknown), and what to note of it."""

    name: str
    note: str
    at: int = 0


class PagerDutyAckPoller:
    """Asks PagerDuty by key who has what was told there, for one channel.

    Who resolves it there while it still fires here has it: that ends no episode, for an end needs
    a good sample or a note. Who had it there before it was given back here has it no longer.
    """

    def __init__(
        self, channel: Channel, post: HttpSender, reveal: SecretResolver, taken: Taken
    ) -> None:
        self._channel = channel
        self._post = post
        self._reveal = reveal
        self._taken = taken
        self._turn = 0
        self.problem = ""

    async def turn(self, threads: tuple[NotifiedGroup, ...]) -> None:
        """Ask for the threads that nobody has; what cannot be asked is a problem, not an end."""
        self.problem = ""
        begin = self._turn * _ASKED % max(1, len(threads))
        self._turn += 1
        for thread in threads[begin : begin + _ASKED]:
            try:
                found = await self._asked(key_of(thread.fold))
                if found is not None and (found.at > thread.freed_at or not thread.freed_at):
                    await self._taken(thread.waiting, f"{BY_PHONE}{found.name}", found.note)
            except WatchdeckError as error:
                self.problem = f"{self._channel.name} cannot be asked who has what: {error}"
                return

    async def _asked(self, key: str) -> RemoteAck | None:
        """Who has what was told under a key; None when nobody does."""
        if self._channel.token is None:
            return None
        token = resolve_address(self._channel.token, self._reveal)
        api = self._channel.api or API
        headers = {
            "authorization": f"Token token={token}",
            "accept": "application/vnd.pagerduty+json;version=2",
        }
        url = f"{api.rstrip('/')}/incidents?{urlencode({'incident_key': key, 'limit': 5})}"
        answer = await self._post.ask(ReceiverRequest(url, headers=headers))
        outcome = result_of(answer, (token,))
        if not isinstance(outcome, Sent):
            raise WatchdeckError(outcome.why)
        return remote_ack(answer.body, key)


def remote_ack(body: bytes, key: str) -> RemoteAck | None:
    """Who has the incident of a key, from the answer to `GET /incidents`.

    Only a person counts: an incident that a service or a time limit closed is nobody's. Raises
    WatchdeckError when the answer is none that is known.
    """
    try:
        incidents = json.loads(body)["incidents"]
        found = [one for one in incidents if one.get("incident_key", key) == key]
        return next(filter(None, map(_who, found)), None)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise WatchdeckError("its answer makes no sense") from None


def _who(incident: Mapping[str, Any]) -> RemoteAck | None:
    if incident["status"] == "acknowledged":
        made = incident.get("acknowledgements", ())
        takers = [(one["acknowledger"], one.get("at")) for one in made]
        note = "acknowledged in PagerDuty"
    elif incident["status"] == "resolved":
        at = incident.get("last_status_change_at")
        takers = [(incident.get("last_status_change_by") or {}, at)]
        note = "resolved in PagerDuty while it still fires"
    else:
        return None
    people = [(who, at) for who, at in takers if str(who.get("type", "")).startswith("user")]
    if not people:
        return None
    who, at = people[-1]
    return RemoteAck(clean(str(who.get("summary") or who.get("id")), 80), note, _moment(at))


def _moment(text: object) -> int:
    """A time in ms UTC; 0 when it is none."""
    try:
        at = datetime.fromisoformat(str(text)[:40])
        return round(at.timestamp() * 1_000) if at.tzinfo else 0
    except (ValueError, OverflowError):
        return 0
