"""Sends a test message through one channel, from this process and without a collector."""

from watchdeck.domain.notifications.outbox import notification_of_test
from watchdeck.domain.settings.receivers import Channel
from watchdeck.notify.delivery import attempt
from watchdeck.notify.result import DeliveryResult
from watchdeck.service.notify_loop import receiver_of
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.worker import StoreWorker


async def send_test(
    channel: Channel, directory: StoreDirectory, who: str, now: int
) -> DeliveryResult:
    """Send one message that is marked as a test; returns the result of the only attempt.

    The store is not touched: a test is no alert.
    """
    notification = notification_of_test(channel.name, who, now)
    worker = StoreWorker(directory, "test")
    try:
        return await attempt(receiver_of(channel, worker), notification)
    finally:
        await worker.close()
