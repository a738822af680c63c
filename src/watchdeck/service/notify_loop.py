"""Tells others, in the collector's process: the outbox, the phone, and the signs of life."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Mapping

from watchdeck.actions.alerts.acknowledge import acknowledge
from watchdeck.config.checks.receivers_ready import receiver_problems
from watchdeck.config.reading.calendars import CalendarFiles
from watchdeck.config.reading.secrets import resolve_secret
from watchdeck.domain.notifications.routing import Routing
from watchdeck.domain.settings.endpoint import Settings
from watchdeck.domain.settings.receivers import Channel, ChannelType
from watchdeck.domain.values.operator import Operator
from watchdeck.domain.values.text import clean
from watchdeck.faults import FaultCounter
from watchdeck.notify.apprise import AppriseNotifier
from watchdeck.notify.command import CommandNotifier
from watchdeck.notify.delivery import Delivery, Receiver
from watchdeck.notify.heartbeat import HeartbeatSender
from watchdeck.notify.http_post import HttpSender
from watchdeck.notify.outbox_queue import OutboxQueue
from watchdeck.notify.pagerduty import PagerDutyNotifier
from watchdeck.notify.pagerduty_acks import PagerDutyAckPoller
from watchdeck.notify.result import Notifier
from watchdeck.notify.thread import to_thread
from watchdeck.notify.webhook import WebhookNotifier
from watchdeck.store.files.connection import StorageFault
from watchdeck.store.files.directory import StoreDirectory

LISTEN = 15.0
"""Seconds between two questions who took what on the phone."""

CHECK = 60.0
"""Seconds between two looks whether all secrets and programs are there."""

_GRACE = 5.0
"""Seconds beyond a channel's own time limit, for what it does before and after."""

_MANY = 300.0
"""Seconds for a letter that is many events, each with its own time limit."""


class NotifyService:
    """All that is told to others; without channels it empties the outbox and no more.

    `well` says what is wrong with the collector; signs of life are sent while that is nothing.
    """

    def __init__(
        self,
        settings: Settings,
        directory: StoreDirectory,
        routing: Routing,
        clock: Callable[[], int],
        well: Callable[[], str],
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._routing = routing
        self._clock = clock
        self._desk = OutboxQueue(directory)
        receivers = {one.name: self._receiver(one) for one in settings.channel}
        self._delivery = Delivery(self._desk, receivers, clock)
        self._phones = {
            one.name: PagerDutyAckPoller(one, _post(one), resolve_secret, self._taken)
            for one in settings.channel
            if one.token is not None
        }
        self._unready = ""
        self._phone_faults = FaultCounter("asking who took what on the phone")
        self._faults = FaultCounter("the look at receivers")
        self._lifesigns = None
        if settings.heartbeat is not None:
            post = HttpSender(_GRACE, settings.heartbeat.ca)
            self._lifesigns = HeartbeatSender(settings.heartbeat, post, resolve_secret, well)

    @property
    def problem(self) -> str:
        """Why somebody cannot be told or asked; empty when all is well."""
        found = [self._delivery.problem, self._unready, self._faults.problem]
        found += (phone.problem for phone in self._phones.values())
        if self._lifesigns is not None:
            found.append(self._lifesigns.problem)
        if isinstance(self._routing.calendars, CalendarFiles):
            found.append(self._routing.calendars.problem)
        return "; ".join(filter(None, found))

    async def run(self) -> None:
        """Tell until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._delivery.run(), name="delivery")
                group.create_task(self._checking(), name="secrets")
                if self._phones:
                    group.create_task(self._listening(), name="phone")
                if self._lifesigns is not None:
                    group.create_task(self._lifesigns.run(), name="signs of life")
        finally:
            self._desk.close()

    async def _checking(self) -> None:
        """See to it that what is missing is known before somebody must be told."""
        while True:
            with self._faults.catch():
                self._unready = "; ".join(receiver_problems(self._settings))
            await asyncio.sleep(CHECK)

    async def _listening(self) -> None:
        while True:
            for name, phone in self._phones.items():
                try:
                    await phone.turn(await self._desk.waiting(name))
                except StorageFault as error:
                    phone.problem = f"nobody can be asked: {clean(str(error), 200)}"
                except Exception as error:  # noqa: BLE001 - one channel must not end the others
                    self._phone_faults.record(error)
                    phone.problem = self._phone_faults.problem
            await asyncio.sleep(LISTEN)

    async def _taken(self, episodes: tuple[int, ...], by: str, note: str) -> None:
        """Somebody took episodes elsewhere: that is an acknowledgement here, as by any operator."""
        who, now = Operator(by), self._clock()

        def act() -> None:
            acknowledge(self._directory, episodes, who, now, note=note, routing=self._routing)

        await to_thread(act)

    def _receiver(self, channel: Channel) -> Receiver:
        notifier = _NOTIFIERS[ChannelType(channel.type)](channel, self._desk)
        many = channel.type == ChannelType.PAGERDUTY
        limit = _MANY if many else channel.timeout.seconds + _GRACE
        return Receiver(notifier, channel.rate, limit)


def source() -> str:
    """Who speaks, in every event: this machine."""
    return f"/watchdeck/{clean(socket.gethostname(), 80)}"


def _post(channel: Channel) -> HttpSender:
    return HttpSender(channel.timeout.seconds, channel.ca)


def _webhook(channel: Channel, _: OutboxQueue) -> Notifier:
    return WebhookNotifier(channel, _post(channel), resolve_secret, source())


def _pagerduty(channel: Channel, desk: OutboxQueue) -> Notifier:
    return PagerDutyNotifier(channel, _post(channel), resolve_secret, desk.threads)


def _command(channel: Channel, _: OutboxQueue) -> Notifier:
    return CommandNotifier(channel, os.environ, source())


def _apprise(channel: Channel, _: OutboxQueue) -> Notifier:
    return AppriseNotifier(channel, resolve_secret)


_NOTIFIERS: Mapping[ChannelType, Callable[[Channel, OutboxQueue], Notifier]] = {
    ChannelType.WEBHOOK: _webhook,
    ChannelType.PAGERDUTY: _pagerduty,
    ChannelType.COMMAND: _command,
    ChannelType.APPRISE: _apprise,
}
