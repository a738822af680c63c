"""Notifications in the collector's process: outbox, acknowledgements from PagerDuty, heartbeats."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from functools import partial

from watchdeck.actions.actor import Actor
from watchdeck.actions.alerts.acknowledge import acknowledge
from watchdeck.actions.requests import AcknowledgeRequest
from watchdeck.config.checks.receivers import receiver_problems
from watchdeck.config.reading.calendars import CalendarFiles
from watchdeck.config.reading.secrets import resolve_secret
from watchdeck.domain.notifications.routing import Routing
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.receivers import Channel, ChannelType
from watchdeck.domain.values.operator import Operator
from watchdeck.domain.values.text import clean
from watchdeck.errors import StoreError
from watchdeck.faults import FaultCounter
from watchdeck.logs import FailureEvents, FailureLog
from watchdeck.notify.apprise import AppriseNotifier
from watchdeck.notify.command import CommandNotifier
from watchdeck.notify.delivery import Delivery, Receiver
from watchdeck.notify.heartbeat import HeartbeatSender
from watchdeck.notify.http_post import HttpSender
from watchdeck.notify.pagerduty import PagerDutyAckPoller, PagerDutyNotifier
from watchdeck.notify.result import Notifier
from watchdeck.notify.thread import to_thread
from watchdeck.notify.webhook import WebhookNotifier
from watchdeck.store.alerts.outbox import read_unacknowledged_groups
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.worker import StoreWorker

_log = logging.getLogger(__name__)

_ACK_POLLS = FailureEvents(
    "channel", "acknowledgements cannot be polled", "acknowledgements are polled again"
)
_READINESS = FailureEvents("", "a channel is not ready to send", "all channels are ready to send")
_CALENDARS = FailureEvents(
    "", "an on-call calendar cannot be read", "all on-call calendars can be read"
)

ACK_POLL_INTERVAL = 15.0
"""Seconds between two polls for acknowledgements made in PagerDuty."""

READINESS_INTERVAL = 60.0
"""Seconds between two checks that the secrets and programs of all receivers exist."""

_GRACE = 5.0
"""Seconds beyond the timeout of a channel, for the work before and after its request."""

_BATCH_TIMEOUT = 300.0
"""Seconds for a notification of many events, each with its own timeout."""


class NotifyService:
    """Sends notifications and heartbeats, and polls for acknowledgements made in PagerDuty.

    `collector_problem` returns why the collector is not well, or an empty text: heartbeats are sent
    only while it is empty.
    """

    def __init__(
        self,
        settings: Settings,
        directory: StoreDirectory,
        routing: Routing,
        clock: Callable[[], int],
        collector_problem: Callable[[], str],
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._routing = routing
        self._clock = clock
        self._worker = StoreWorker(directory, "outbox")
        self.receivers = {one.name: receiver_of(one, self._worker) for one in settings.channel}
        self._delivery = Delivery(self._worker, self.receivers, clock)
        self._ack_pollers = {
            one.name: PagerDutyAckPoller(one, _http_sender(one), resolve_secret, self._save_ack)
            for one in settings.channel
            if one.token is not None
        }
        self._not_ready = ""
        self._poll_faults = FaultCounter("asking who took what on the phone")
        self._faults = FaultCounter("the check of receivers")
        self._ack_log = FailureLog(_log, _ACK_POLLS)
        self._readiness_log = FailureLog(_log, _READINESS)
        self._calendar_log = FailureLog(_log, _CALENDARS)
        self._heartbeats = None
        if settings.heartbeat is not None:
            http = HttpSender(_GRACE, settings.heartbeat.ca)
            self._heartbeats = HeartbeatSender(
                settings.heartbeat, http, resolve_secret, collector_problem
            )

    @property
    def problem(self) -> str:
        """Why a channel cannot be reached or polled; empty when all is well."""
        found = [self._delivery.problem, self._not_ready, self._faults.problem]
        found += (poller.problem for poller in self._ack_pollers.values())
        if self._heartbeats is not None:
            found.append(self._heartbeats.problem)
        found.append(self._calendar_problem)
        return "; ".join(filter(None, found))

    @property
    def lasting_fault(self) -> str:
        """The faults that keep its loops from working; empty without any."""
        found = [self._delivery.lasting_fault, self._faults.lasting, self._poll_faults.lasting]
        if self._heartbeats is not None:
            found.append(self._heartbeats.lasting_fault)
        return "; ".join(filter(None, found))

    @property
    def _calendar_problem(self) -> str:
        calendars = self._routing.calendars
        return calendars.problem if isinstance(calendars, CalendarFiles) else ""

    async def run(self) -> None:
        """Send notifications and heartbeats, and poll for acknowledgements, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._delivery.run(), name="delivery")
                group.create_task(self._check_readiness(), name="readiness")
                if self._ack_pollers:
                    group.create_task(self._poll_acks(), name="acknowledgements")
                if self._heartbeats is not None:
                    group.create_task(self._heartbeats.run(), name="heartbeats")
        finally:
            await self._worker.close()

    async def _check_readiness(self) -> None:
        """Report a missing secret or program before a page needs it."""
        while True:
            with self._faults.catch():
                self._not_ready = "; ".join(receiver_problems(self._settings))
                self._readiness_log.record("", self._not_ready)
                self._calendar_log.record("", self._calendar_problem)
            await asyncio.sleep(READINESS_INTERVAL)

    async def _poll_acks(self) -> None:
        while True:
            for name, poller in self._ack_pollers.items():
                read = partial(read_unacknowledged_groups, channel=name)
                try:
                    await poller.poll(await self._worker.run(read))
                except StoreError as error:
                    poller.problem = f"acknowledgements cannot be polled: {clean(str(error), 200)}"
                except Exception as error:  # noqa: BLE001 - one channel must not end the others
                    self._poll_faults.record(error)
                    poller.problem = self._poll_faults.problem
                self._ack_log.record(name, poller.problem)
            await asyncio.sleep(ACK_POLL_INTERVAL)

    async def _save_ack(self, episodes: tuple[int, ...], by: str, note: str) -> None:
        """Acknowledge episodes, as an operator would, for somebody who did so in PagerDuty."""
        operator, now = Operator(by), self._clock()

        def save() -> None:
            acknowledge(
                Actor(self._directory, operator, self._routing),
                AcknowledgeRequest(episodes, note=note),
                now,
            )

        await to_thread(save)


def event_source() -> str:
    """The CloudEvents `source` of every notification, with the name of this machine."""
    return f"/watchdeck/{clean(socket.gethostname(), 80)}"


def _http_sender(channel: Channel) -> HttpSender:
    return HttpSender(channel.timeout.seconds, channel.ca)


def receiver_of(channel: Channel, worker: StoreWorker) -> Receiver:
    """The receiver that sends to a channel; PagerDuty's reads in the store by `worker`."""
    is_batch = channel.type == ChannelType.PAGERDUTY
    timeout = _BATCH_TIMEOUT if is_batch else channel.timeout.seconds + _GRACE
    return Receiver(_notifier(channel, worker), channel.rate, timeout, channel.type)


def _notifier(channel: Channel, worker: StoreWorker) -> Notifier:
    match ChannelType(channel.type):
        case ChannelType.WEBHOOK:
            return WebhookNotifier(channel, _http_sender(channel), resolve_secret, event_source())
        case ChannelType.PAGERDUTY:
            return PagerDutyNotifier(channel, _http_sender(channel), resolve_secret, worker)
        case ChannelType.COMMAND:
            return CommandNotifier(channel, os.environ, event_source())
        case ChannelType.APPRISE:
            return AppriseNotifier(channel, resolve_secret)
