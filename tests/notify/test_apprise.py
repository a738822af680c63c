import re
import subprocess
import sys

import pytest
from msgspec.structs import replace

from notify.notifications import notification
from notify.outbox import SHORT, known
from notify.receivers import BUSY, HANG, longest_gap, receiving
from servers.loopback import answer
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


async def send_text(url: str, text: str) -> DeliveryResult:
    channel = Channel("a", "apprise", url=url, services=("json", "tgram"))
    about = notification()
    alerts = tuple(dict(alert) | {"text": text} for alert in about.alerts)
    return await AppriseNotifier(channel, known)(replace(about, alerts=alerts))


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
    assert told["title"].startswith("[SEV 2] fraud is slow (0) (and 29 more")
    lines = told["message"].splitlines()
    assert (len(lines), lines[-1]) == (21, "and 10 more")


async def test_retries_are_ours_alone_whatever_the_address_says() -> None:
    async with receiving(BUSY) as receiver:
        found = await send(f"json://127.0.0.1:{receiver.port}/?retry=5")
    assert found == TryAgain("503 Service Unavailable", hold=True)
    assert len(receiver.asked) == 1


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param("400 Bad Request", GiveUp("400 Bad Request"), id="the message is refused"),
        pytest.param("404 Not Found", TryAgain("404 Not Found"), id="the address is wrong"),
    ],
)
async def test_a_message_that_a_service_refuses_is_given_up(
    status: str, expected: DeliveryResult
) -> None:
    async with receiving(answer(status=status)) as receiver:
        assert await send(f"json://127.0.0.1:{receiver.port}/") == expected


async def test_a_service_that_cannot_be_reached_is_asked_again() -> None:
    async with receiving() as receiver:
        port = receiver.port
    assert await send(f"json://127.0.0.1:{port}/") == TryAgain("the service did not take it")


async def test_mentions_and_markup_reach_nobody_as_such() -> None:
    text = "@everyone @here <!channel> <@U123> <users/all> [x](http://y.z) p < 1 anna@risk"
    async with receiving() as receiver:
        await send_text(f"json://127.0.0.1:{receiver.port}/", text)
    [told] = receiver.told
    for sent in (told["title"], told["message"]):
        assert not re.search(r"[@<](?=\w|[@!/])|\]\(", sent)
        assert text in sent.replace("\u200b", "")


@pytest.mark.parametrize("query", ["", "?format=markdown"], ids=["as HTML", "as Markdown"])
async def test_a_service_that_takes_markup_gets_escaped_text(
    query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apprise.plugins.telegram import NotifyTelegram

    token = "123456789:AbCdEfGhIjKlMnOpQrStUvWxYz012345678"
    async with receiving(answer(b'{"ok": true}')) as receiver:
        monkeypatch.setattr(NotifyTelegram, "notify_url", f"http://127.0.0.1:{receiver.port}/bot")
        text = "memory < 10% of <module> & *more*"
        assert await send_text(f"tgram://{token}/-1001234/{query}", text) == Sent()
    [told] = receiver.told
    escaped = {"HTML": "memory &lt; 10% of &lt;\u200bmodule&gt; &amp; *more*"}
    assert escaped.get(told["parse_mode"], r"\*more\*") in told["text"]


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
