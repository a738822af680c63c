import asyncio
import logging

import pytest

from log_lines import lines_of
from notify.outbox import PATIENT, known
from notify.receivers import BUSY, OK, receiving
from watchdeck.domain.settings.receivers import Heartbeat
from watchdeck.domain.values.secret import Secret
from watchdeck.notify.heartbeat import HeartbeatSender
from watchdeck.notify.http_post import HttpSender


async def test_signs_of_life_are_sent_while_all_is_well_and_stop_when_it_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "watchdeck")
    wrong = [""]
    async with receiving() as receiver:
        heartbeats = HeartbeatSender(
            Heartbeat(receiver.url, method="POST"), HttpSender(PATIENT), known, lambda: wrong[0]
        )
        assert await heartbeats.send()
        wrong[0] = "nothing was judged for a minute"
        assert not await heartbeats.send()
        wrong[0] = ""
        assert await heartbeats.send()
    assert [asked.method for asked in receiver.asked] == ["POST", "POST"]
    why = 'problem="nothing was judged for a minute"'
    assert lines_of(caplog) == [
        f"<3>heartbeat withheld: the collector is not well {why}",
        "<6>heartbeats are sent again failures=1",
    ]


async def test_a_sign_that_does_not_arrive_is_said_without_its_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "watchdeck")
    async with receiving(BUSY, OK) as receiver:
        heartbeats = HeartbeatSender(Heartbeat(receiver.url), HttpSender(PATIENT), known, str)
        assert not await heartbeats.send()
        problem = "the sign of life did not arrive: 503 Service Unavailable"
        assert heartbeats.problem == problem
        assert await heartbeats.send()
        assert heartbeats.problem == ""
    assert lines_of(caplog) == [
        '<4>heartbeat did not arrive problem="503 Service Unavailable"',
        "<6>heartbeats arrive again failures=1",
    ]


async def test_an_answer_that_breaks_something_of_ours_ends_no_sign_of_life() -> None:
    asked = asyncio.Event()

    def broken() -> str:
        asked.set()
        raise TypeError("s3cret")

    heartbeats = HeartbeatSender(
        Heartbeat("http://127.0.0.1:1/"), HttpSender(PATIENT), known, broken
    )
    task = asyncio.create_task(heartbeats.run())
    await asked.wait()
    assert not task.done()
    task.cancel()
    assert heartbeats.problem.startswith("the sign of life failed with TypeError at ")


async def test_a_secret_address_that_is_none_is_not_repeated() -> None:
    heartbeats = HeartbeatSender(Heartbeat(Secret(env="URL")), HttpSender(PATIENT), known, str)
    assert not await heartbeats.send()
    assert "hush" not in heartbeats.problem
