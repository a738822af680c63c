"""Letters made by hand."""

from watchdeck.domain.notifications.outbox import Notification, NotificationClass


def notification(kind: NotificationClass = NotificationClass.CALL, count: int = 1) -> Notification:
    """A notification about so many alerts."""
    alerts = tuple(
        {
            "text": f"fraud is slow ({number})",
            "severity": 2,
            "model": "fraud",
            "rule": f"slow-{number}",
            "at": 1_795_410_000_000,
        }
        for number in range(count)
    )
    numbers = tuple(range(1, count + 1))
    return Notification("g.1@2#3", "hook", kind, numbers, numbers, alerts, 1_795_410_000_000)
