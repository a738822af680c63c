import asyncio

from notify.outbox import SHORT, known
from notify.receivers import BUSY, OK, receiving
from watchdeck.domain.settings.receivers import Heartbeat
from watchdeck.domain.values.secret import Secret
from watchdeck.notify.heartbeat import HeartbeatSender
from watchdeck.notify.http_post import HttpSender


async def test_signs_of_life_are_sent_while_all_is_well_and_stop_when_it_is_not() -> None:
    wrong = [""]
    async with receiving() as receiver:
        lifesigns = HeartbeatSender(
            Heartbeat(receiver.url, method="POST"), HttpSender(SHORT), known, lambda: wrong[0]
        )
        assert await lifesigns.turn()
        wrong[0] = "nothing was judged for a minute"
        assert not await lifesigns.turn()
    assert [asked.method for asked in receiver.asked] == ["POST"]


async def test_a_sign_that_does_not_arrive_is_said_without_its_address() -> None:
    async with receiving(BUSY, OK) as receiver:
        lifesigns = HeartbeatSender(Heartbeat(receiver.url), HttpSender(SHORT), known, str)
        assert not await lifesigns.turn()
        problem = "the sign of life did not arrive: 503 Service Unavailable"
        assert lifesigns.problem == problem
        assert await lifesigns.turn()
        assert lifesigns.problem == ""


async def test_an_answer_that_breaks_something_of_ours_ends_no_sign_of_life() -> None:
    asked = asyncio.Event()

    def broken() -> str:
        asked.set()
        raise TypeError("s3cret")

    lifesigns = HeartbeatSender(Heartbeat("http://127.0.0.1:1/"), HttpSender(SHORT), known, broken)
    task = asyncio.create_task(lifesigns.run())
    await asked.wait()
    assert not task.done()
    task.cancel()
    assert lifesigns.problem.startswith("the sign of life failed with TypeError at ")


async def test_a_secret_address_that_is_none_is_not_repeated() -> None:
    lifesigns = HeartbeatSender(Heartbeat(Secret(env="URL")), HttpSender(SHORT), known, str)
    assert not await lifesigns.turn()
    assert "hush" not in lifesigns.problem
