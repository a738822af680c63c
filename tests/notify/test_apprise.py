import subprocess
import sys

import pytest

from notify.notifications import notification
from notify.outbox import SHORT, known
from notify.receivers import BUSY, HANG, longest_gap, receiving
from watchdeck.domain.notifications.outbox import NotificationClass
from watchdeck.domain.settings.receivers import Channel
from watchdeck.domain.values.secret import Secret
from watchdeck.notify.apprise import AppriseNotifier
from watchdeck.notify.result import DeliveryResult, GiveUp, Sent, TryAgain

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
"""apprise loads it where Python still has it."""


async def send(
    url: str | Secret, count: int = 1, kind: NotificationClass = NotificationClass.CALL
) -> DeliveryResult:
    channel = Channel("a", "apprise", url=url, services=("json", "jsons"))
    return await AppriseNotifier(channel, known)(notification(kind, count))


@pytest.mark.parametrize(
    ("kind", "said"),
    [(NotificationClass.CALL, "failure"), (NotificationClass.RESOLVED, "success")],
    ids=["call", "end"],
)
async def test_a_service_of_apprise_is_told_in_plain_text(
    kind: NotificationClass, said: str
) -> None:
    async with receiving() as receiver:
        assert await send(f"json://127.0.0.1:{receiver.port}/", 30, kind) == Sent()
    [told] = receiver.told
    assert told["type"] == said
    assert told["title"].startswith("[HIGH] fraud is slow (0) (and 29 more")
    lines = told["message"].splitlines()
    assert (len(lines), lines[-1]) == (21, "and 10 more")


async def test_retries_are_ours_alone_whatever_the_address_says() -> None:
    async with receiving(BUSY) as receiver:
        found = await send(f"json://127.0.0.1:{receiver.port}/?retry=5")
    assert found == TryAgain("the service did not take it")
    assert len(receiver.asked) == 1


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param(
            "syslog://",
            GiveUp("the address is of the service 'syslog'; allowed are json, jsons"),
            id="a service that is not allowed",
        ),
        pytest.param(
            Secret(env="X"),
            GiveUp("the address is of the service ''; allowed are json, jsons"),
            id="a secret that is no address",
        ),
        pytest.param("json://", TryAgain("apprise cannot read the address"), id="no address"),
    ],
)
async def test_what_is_no_address_of_an_allowed_service_is_not_asked(
    url: str | Secret, expected: DeliveryResult
) -> None:
    assert await send(url) == expected


async def test_a_service_that_hangs_does_not_hold_up_the_event_loop() -> None:
    async with receiving(HANG) as receiver:
        gap = await longest_gap(lambda: send(f"json://127.0.0.1:{receiver.port}/?rto=1&cto=1"))
    assert gap < SHORT / 2


def test_a_token_that_apprise_logs_is_not_in_the_log_of_the_collector() -> None:
    code = """
from contextlib import suppress
from watchdeck.logs import configure
from watchdeck.notify.apprise import _sender_for
from watchdeck.notify.http_post import ReceiverUnreachable
configure("debug")
with suppress(ReceiverUnreachable):
    _sender_for("slack://s3cret!/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "a library reports a problem logger=apprise" in done.stderr
    assert "s3cret" not in done.stderr
