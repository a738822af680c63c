"""One Alertmanager as it is spoken to: every answer whole and good, or named why not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from watchdeck.config.checks.intake import endpoint_of
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.settings.intake import Alertmanager
from watchdeck.net.address import parse_url
from watchdeck.net.client import HttpClient, client_for
from watchdeck.net.connection import Request
from watchdeck.net.failure import RequestError, status_words

ALERTS = "/api/v2/alerts"
STATUS = "/api/v2/status"
SILENCES = "/api/v2/silences"
SILENCE = "/api/v2/silence/"


class AlertmanagerClient:
    """Asks one Alertmanager and tells it things, each within its timeout."""

    def __init__(self, asked: Alertmanager, reader: HttpClient | None = None) -> None:
        self._root = parse_url(asked.url)
        self._timeout = asked.timeout.seconds
        self._reader = reader or client_for(endpoint_of(asked))

    async def get(self, path: str) -> bytes:
        """The body of an answer to GET. Raises Failed."""
        return await self._ask(Request(self._root.at(path)))

    async def post(self, path: str, body: Mapping[str, Any]) -> bytes:
        """The body of the answer to a JSON body. Raises Failed."""
        headers = (("content-type", "application/json"),)
        sent = json.dumps(body).encode()
        return await self._ask(Request(self._root.at(path), headers, "POST", sent))

    async def delete(self, path: str) -> None:
        """Take something away; what is not there is away already. Raises Failed."""
        await self._ask(Request(self._root.at(path), method="DELETE"), good=(200, 404))

    async def close(self) -> None:
        """Let go of the connection."""
        await self._reader.close()

    async def _ask(self, question: Request, good: tuple[int, ...] = (200,)) -> bytes:
        path = question.address.path
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._reader.ask(question)
        except TimeoutError:
            raise RequestError(Outcome.TIMED_OUT, f"{path}: no answer in time") from None
        except RequestError as failed:
            raise failed.about(path) from None
        if answer.status not in good:
            raise RequestError(Outcome.HTTP_STATUS, f"{path}: {status_words(answer.status or 0)}")
        return answer.body
