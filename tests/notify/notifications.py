"""Letters made by hand."""

from watchdeck.domain.notifications.notification import Class, Letter


def letter(kind: Class = Class.CALL, count: int = 1) -> Letter:
    """A letter about so many alerts."""
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
    return Letter("g.1@2#3", "hook", kind, numbers, numbers, alerts, 1_795_410_000_000)
