"""Everybody else, through apprise (extra `notify`), loaded with the first letter and not before.

apprise costs 0.3 s and 28 MB, so only the collector loads it, on another thread.
"""

from __future__ import annotations

import gc
from functools import cache
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from watchdeck.domain.notifications.notification import Notification, NotificationClass
from watchdeck.domain.settings.receivers import Channel
from watchdeck.domain.values.secret import SecretResolver
from watchdeck.domain.values.severity import Severity
from watchdeck.domain.values.text import clean
from watchdeck.errors import WatchdeckError
from watchdeck.notify.http_post import ReceiverUnreachable
from watchdeck.notify.result import DeliveryResult, GiveUp, Sent, TryAgain
from watchdeck.notify.thread import to_thread
from watchdeck.notify.webhook import resolve_address

_LINES = 20
"""Alerts of one letter that are listed: most services cut long texts."""

_KINDS = {
    Severity.CRITICAL: "failure",
    Severity.HIGH: "failure",
    Severity.MEDIUM: "warning",
    Severity.LOW: "info",
}


class AppriseNotifier:
    """Sends letters to the one service of an apprise address; retries are ours alone."""

    def __init__(self, channel: Channel, reveal: SecretResolver) -> None:
        self._channel = channel
        self._reveal = reveal

    async def __call__(self, letter: Notification) -> DeliveryResult:
        """Send it as text; apprise does not say why it fails, for its words hold addresses."""
        try:
            url = resolve_address(self._channel.url or "", self._reveal)
            refusal = self._refused(url)
            if refusal:
                return GiveUp(refusal)
            return await to_thread(lambda: self._sent(url, letter))
        except WatchdeckError as error:
            return TryAgain(str(error))

    def _refused(self, url: str) -> str:
        """Why an address is none that this channel may have, without repeating it."""
        try:
            service = urlsplit(url).scheme.lower()
        except ValueError:
            return "the address cannot be read"
        if service not in self._channel.services:
            known = ", ".join(self._channel.services)
            return f"the address is of the service {clean(service, 40)!r}; allowed are {known}"
        return ""

    def _sent(self, url: str, letter: Notification) -> DeliveryResult:
        """Blocks, for as long as apprise's own timeouts let it."""
        service = _service(url)
        shown = letter.lines[:_LINES]
        more = len(letter.alerts) - len(shown)
        body = "\n".join((*shown, f"and {more} more") if more > 0 else shown)
        kind = "success" if letter.kind is NotificationClass.RESOLVED else _KINDS[letter.severity]
        return (
            Sent()
            if service.notify(body, title=letter.title, notify_type=kind)
            else TryAgain("the service did not take it")
        )


def _service(url: str) -> Any:
    """Apprise with this one service. Raises Unheard when it is not installed, or knows it not."""
    apprise = _loaded()
    asset = apprise.AppriseAsset(storage_mode="memory", secure_logging=True)
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
def _loaded() -> ModuleType:
    """Apprise with all its services, which stay for good: the collection of garbage skips them.

    One that looks through what they make would hold up every thread for 0.1 s.
    """
    gc.disable()
    try:
        import apprise

        apprise.Apprise.instantiate("json://localhost")  # the first one loads them all
    except ImportError:
        hint = "pip install 'watchdeck[notify]' brings it"
        raise ReceiverUnreachable(f"apprise is not installed; {hint}") from None
    else:
        gc.freeze()
        return apprise
    finally:
        gc.enable()
