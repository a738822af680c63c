"""Notifications to all other services, through the library apprise (extra `notify`).

apprise costs 0.3 s and 28 MB: only the collector loads it, with the first notification, on another
thread.
"""

import gc
import logging
import re
from contextvars import ContextVar
from functools import cache
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from watchdeck.domain.notifications.outbox import Notification, NotificationClass
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.settings.receivers import Channel
from watchdeck.domain.values.secret import SecretResolver
from watchdeck.domain.values.text import clean
from watchdeck.errors import WatchdeckError
from watchdeck.notify.http_post import ReceiverUnreachable
from watchdeck.notify.result import (
    DeliveryResult,
    GiveUp,
    ReceiverResponse,
    Sent,
    TryAgain,
    result_of,
)
from watchdeck.notify.thread import to_thread
from watchdeck.notify.webhook import resolve_address

_MAX_LINES = 20
"""Limit of alerts that one notification lists: most services cut long texts."""

_MARKUP = re.compile(r"(?<=[@<])(?=\S)|(?<=\])(?=\()")
"""Where a mention, a tag or a link with another text begins in the markup of some service."""

_BREAK = "\u200b"
"""A space without width: what it breaks up looks as before, and means nothing to a service."""

_STATUS = re.compile(r"\berror=(\d{3})\b")
"""How apprise's log names the status of a response, in the texts of nearly all services."""

_failures: ContextVar[list[DeliveryResult] | None] = ContextVar("failures", default=None)
"""Results of the failed requests of the notification that is being sent."""

_NOTIFY_TYPES = {
    Severity.CRITICAL: "failure",
    Severity.HIGH: "failure",
    Severity.MEDIUM: "warning",
    Severity.LOW: "info",
}


class AppriseNotifier:
    """Sends notifications to the one service of an apprise address; apprise never retries."""

    def __init__(self, channel: Channel, resolve: SecretResolver) -> None:
        self._channel = channel
        self._resolve = resolve

    async def __call__(self, notification: Notification) -> DeliveryResult:
        """Send the text once; of a failure only the status is kept: the rest may hold the address.

        A service that answers 400 or the like gets the notification no second time.
        """
        try:
            url = resolve_address(self._channel.url or "", self._resolve)
            refusal = self._refusal_of(url)
            if refusal:
                return GiveUp(refusal)
            return await to_thread(lambda: self._send(url, notification))
        except WatchdeckError as error:
            return TryAgain(str(error))

    def _refusal_of(self, url: str) -> str:
        """Why this channel must not use the address, without repeating it; empty when it may."""
        try:
            service = urlsplit(url).scheme.lower()
        except ValueError:
            return "the address cannot be read"
        if service not in self._channel.services:
            known = ", ".join(self._channel.services)
            return f"the address is of the service {clean(service, 40)!r}; allowed are {known}"
        return ""

    def _send(self, url: str, notification: Notification) -> DeliveryResult:
        """Send, and block for as long as apprise's own timeouts allow."""
        service = _sender_for(url)
        lines = notification.lines[:_MAX_LINES]
        more = len(notification.alerts) - len(lines)
        body = "\n".join((*lines, f"and {more} more") if more > 0 else lines)
        failures: list[DeliveryResult] = []
        _failures.set(failures)
        kind = (
            "success"
            if notification.kind is NotificationClass.RESOLVED
            else _NOTIFY_TYPES[notification.severity]
        )
        if service.notify(
            plain_text(body),
            title=plain_text(notification.title),
            notify_type=kind,
            body_format="text",  # apprise escapes it for services that take HTML or Markdown
        ):
            return Sent()
        retries = (one for one in failures if isinstance(one, TryAgain))
        return next(retries, failures[0] if failures else TryAgain("the service did not take it"))


def plain_text(text: str) -> str:
    """The text with mentions, tags and links broken up, for services that read them in any text."""
    return _MARKUP.sub(_BREAK, text)


class _StatusHandler(logging.Handler):
    """Reads the statuses of failed requests in apprise's log: it returns none of them."""

    def emit(self, record: logging.LogRecord) -> None:
        failures = _failures.get()
        if failures is not None:
            statuses = _STATUS.findall(record.getMessage())
            failures += (result_of(ReceiverResponse(int(status))) for status in statuses)


def _sender_for(url: str) -> Any:
    """An apprise object that sends to this one address.

    Raises ReceiverUnreachable when apprise is not installed or cannot read the address.
    """
    apprise = _load_apprise()
    asset = apprise.AppriseAsset(storage_mode="memory", secure_logging=True, async_mode=False)
    service = apprise.Apprise.instantiate(url, asset=asset)
    if service is None:
        raise ReceiverUnreachable("apprise cannot read the address")
    service.verify_certificate = True
    service.redirects = False
    service.retry = 0
    sender = apprise.Apprise(asset=asset)
    sender.add(service)
    return sender


@cache
def _load_apprise() -> ModuleType:
    """Import apprise with all its services, and exempt their objects from garbage collection.

    A collection that visits these objects would stop every thread for 0.1 s.
    """
    gc.disable()
    try:
        import apprise

        apprise.Apprise.instantiate("json://localhost")  # the first one loads them all
        logging.getLogger("apprise").addHandler(_StatusHandler(logging.WARNING))
    except ImportError:
        hint = "pip install 'watchdeck[notify]' brings it"
        raise ReceiverUnreachable(f"apprise is not installed; {hint}") from None
    else:
        gc.freeze()
        return apprise
    finally:
        gc.enable()
