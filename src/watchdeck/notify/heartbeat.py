"""Signs of life to an address outside while all is well: when they stop, somebody there calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from watchdeck.domain.settings.receivers import Heartbeat
from watchdeck.domain.values.secret import SecretResolver
from watchdeck.errors import WatchdeckError
from watchdeck.faults import FaultCounter
from watchdeck.notify.http_post import HttpSender, ReceiverRequest
from watchdeck.notify.result import ReceiverResponse, Sent, result_of
from watchdeck.notify.webhook import resolve_address


class HeartbeatSender:
    """Sends them as long as `well` has nothing to say against it."""

    def __init__(
        self, lifesign: Heartbeat, post: HttpSender, reveal: SecretResolver, well: Callable[[], str]
    ) -> None:
        self._lifesign = lifesign
        self._post = post
        self._reveal = reveal
        self._well = well
        self._faults = FaultCounter("the sign of life")
        self._problem = ""

    @property
    def problem(self) -> str:
        """Why the newest one did not arrive; empty when it did."""
        return self._faults.problem or self._problem

    async def run(self) -> None:
        """One after another until cancelled."""
        while True:
            with self._faults.catch():
                await self.turn()
            await asyncio.sleep(self._lifesign.every.seconds)

    async def turn(self) -> bool:
        """Send one, unless something is wrong; whether it arrived."""
        if self._well():
            return False
        try:
            url = resolve_address(self._lifesign.url, self._reveal)
            answer = await self._post.ask(ReceiverRequest(url, self._lifesign.method))
        except WatchdeckError as error:
            return self._told(str(error))
        return self._told(_words(answer, url))

    def _told(self, why: str) -> bool:
        self._problem = f"the sign of life did not arrive: {why}" if why else ""
        return not why


def _words(answer: ReceiverResponse, url: str) -> str:
    outcome = result_of(answer, (url,))
    return "" if isinstance(outcome, Sent) else outcome.why
