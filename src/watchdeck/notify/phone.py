"""What people did in PagerDuty, on the phone: an acknowledgement there is one here."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from watchdeck.domain.channel import Channel
from watchdeck.domain.text import clean
from watchdeck.errors import WatchdeckError
from watchdeck.notify.outcome import Sent, judged
from watchdeck.notify.pagerduty import BY_PHONE, key_of
from watchdeck.notify.post import Post, Question
from watchdeck.notify.webhook import Reveal, revealed
from watchdeck.store.threads import Thread

API = "https://api.pagerduty.com"

_ASKED = 20
"""Keys asked for in one turn; the rest have theirs in the next."""

Taken = Callable[[tuple[int, ...], str, str], Awaitable[None]]
"""Told of episodes, who has them, and what to note beside it."""


class Phone:
    """Asks PagerDuty by key who has what was told there, for one channel.

    Who resolves it there while it still fires here has it: that ends no episode, for an end needs
    a good sample or a note.
    """

    def __init__(self, channel: Channel, post: Post, reveal: Reveal, taken: Taken) -> None:
        self._channel = channel
        self._post = post
        self._reveal = reveal
        self._taken = taken
        self._turn = 0
        self.problem = ""

    async def turn(self, threads: tuple[Thread, ...]) -> None:
        """Ask for the threads that nobody has; what cannot be asked is a problem, not an end."""
        self.problem = ""
        begin = self._turn * _ASKED % max(1, len(threads))
        self._turn += 1
        for thread in threads[begin : begin + _ASKED]:
            try:
                found = await self._asked(key_of(thread.fold))
            except WatchdeckError as error:
                self.problem = f"{self._channel.name} cannot be asked who has what: {error}"
                return
            if found is not None:
                await self._taken(thread.waiting, f"{BY_PHONE}{found[0]}", found[1])

    async def _asked(self, key: str) -> tuple[str, str] | None:
        """Who has what was told under a key, and what to note; None when nobody does."""
        if self._channel.token is None:
            return None
        token = revealed(self._channel.token, self._reveal)
        api = self._channel.api or API
        headers = {
            "authorization": f"Token token={token}",
            "accept": "application/vnd.pagerduty+json;version=2",
        }
        url = f"{api.rstrip('/')}/incidents?{urlencode({'incident_key': key, 'limit': 5})}"
        answer = await self._post.ask(Question(url, headers=headers))
        outcome = judged(answer, (token,))
        if not isinstance(outcome, Sent):
            raise WatchdeckError(outcome.why)
        return who_has(answer.body, key)


def who_has(body: bytes, key: str) -> tuple[str, str] | None:
    """Who has the incident of a key, and what to note, from the answer to `GET /incidents`.

    Only a person counts: an incident that a service or a time limit closed is nobody's. Raises
    WatchdeckError when the answer is none that is known.
    """
    try:
        incidents = json.loads(body)["incidents"]
        found = [one for one in incidents if one.get("incident_key", key) == key]
        return next(filter(None, map(_who, found)), None)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise WatchdeckError("its answer makes no sense") from None


def _who(incident: Mapping[str, Any]) -> tuple[str, str] | None:
    if incident["status"] == "acknowledged":
        takers = [one["acknowledger"] for one in incident.get("acknowledgements", ())]
        note = "acknowledged in PagerDuty"
    elif incident["status"] == "resolved":
        takers = [incident.get("last_status_change_by") or {}]
        note = "resolved in PagerDuty while it still fires"
    else:
        return None
    people = [one for one in takers if str(one.get("type", "")).startswith("user")]
    if not people:
        return None
    return clean(str(people[-1].get("summary") or people[-1].get("id")), 80), note
