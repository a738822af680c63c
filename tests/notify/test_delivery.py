import asyncio
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from log_lines import lines_of
from notify.outbox import PATIENT, SHORT, delivering, round_of, staged, webhook
from notify.receivers import BUSY, DIE, HANG, OK, longest_gap, receiving
from servers.loopback import answer
from store.alerts.waiting import read_next_due
from watchdeck.domain.notifications.message import MessageKind
from watchdeck.domain.notifications.outbox import Notification
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.values.secret import Secret
from watchdeck.notify.delivery import GIVE_UP_AFTER
from watchdeck.notify.result import DeliveryResult, Notifier, Sent
from watchdeck.store.alerts.outbox import cancel, read_given_up
from watchdeck.store.files.connection import transaction

MINUTE = 60_000


async def test_a_page_arrives_once_as_a_cloud_event(tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        episode = stage.fire()
        stage.tell(episode, text="fraud is slow")
        async with (
            receiving() as receiver,
            delivering(stage, {"hook": webhook(receiver.url)}) as delivery,
        ):
            await round_of(delivery)
            await round_of(delivery)
        [event], [row] = receiver.told, stage.outbox(episode)
        assert row.sent_at == stage.clock.now
    assert event["id"] == receiver.ids()[0]
    assert (event["specversion"], event["source"]) == ("1.0", "/watchdeck/test")
    assert event["type"] == "dev.watchdeck.alert.firing.v1"
    assert event["data"]["title"] == "[SEV 2] fraud is slow"
    assert event["data"]["alerts"][0]["model"] == "fraud"
    assert event["time"] == "2026-11-23T05:00:00.000Z"
    assert receiver.asked[0].headers["content-type"].startswith("application/cloudevents+json")


async def test_a_receiver_that_is_busy_for_an_hour_gets_everything_under_the_same_ids(
    tmp_path: Path,
) -> None:
    with staged(tmp_path) as stage:
        episode = stage.fire()
        stage.tell(episode)
        async with (
            receiving(BUSY) as receiver,
            delivering(stage, {"hook": webhook(receiver.url)}) as delivery,
        ):
            waits = []
            begin = stage.clock.now
            while stage.clock.now < begin + 60 * MINUTE:
                await round_of(delivery)
                at = read_next_due(stage.db)
                assert at is not None
                waits.append(at - stage.clock.now)
                stage.clock.now = at
            stage.tell(episode, MessageKind.RESOLVED)
            receiver.answers = [OK]
            await round_of(delivery)
            stage.clock.now += 30_000
            await round_of(delivery)
        assert [row.sent_at is not None for row in stage.outbox(episode)] == [True, True]
    assert len(set(receiver.ids())) == 2
    assert [event["data"]["alerts"][0]["kind"] for event in receiver.told[-2:]] == [
        "page",
        "resolved",
    ]
    assert waits[:2] < [4_000, 8_000]
    assert max(waits) <= 300_000
    assert 15 <= len(waits) <= 40


async def test_what_a_receiver_asks_for_in_retry_after_is_kept_by_all_that_wait_for_it(
    tmp_path: Path,
) -> None:
    slow_down = answer(b"", "Retry-After: 90", status="429 Too Many Requests")
    with staged(tmp_path) as stage:
        first = stage.fire("fraud", Severity.HIGH)
        stage.tell(first)
        worst = stage.fire("churn", Severity.CRITICAL)
        stage.tell(worst)
        async with (
            receiving(slow_down, OK) as receiver,
            delivering(stage, {"hook": webhook(receiver.url)}) as delivery,
        ):
            await round_of(delivery)
            assert len(receiver.asked) == 1
            assert stage.outbox(first)[0].not_before == stage.clock.now + 90_000
            stage.clock.now += 89_999
            await round_of(delivery)
            assert len(receiver.asked) == 1
            stage.clock.now += 1
            await round_of(delivery)
        assert len(receiver.asked) == 3
        assert stage.outbox(worst)[0].sent_at == stage.clock.now


@pytest.mark.parametrize(
    ("first", "why"),
    [
        pytest.param(HANG, "no answer in time", id="hangs"),
        pytest.param(DIE, "the connection was closed without an answer", id="takes it and dies"),
        pytest.param(
            answer(b"", "Location: http://127.0.0.1:1/", status="302 Found"),
            "302 Found: redirects are not followed",
            id="sends us elsewhere",
        ),
        pytest.param(answer(status="404 Not Found"), "404 Not Found", id="is not there yet"),
    ],
)
async def test_whoever_fails_once_is_told_again_under_the_same_id(
    tmp_path: Path, first: bytes, why: str
) -> None:
    within = SHORT if first is HANG else PATIENT
    with staged(tmp_path) as stage:
        episode = stage.fire()
        stage.tell(episode)
        async with (
            receiving(first, OK) as receiver,
            delivering(stage, {"hook": webhook(receiver.url, within)}) as delivery,
        ):
            await round_of(delivery)
            assert stage.outbox(episode)[0].last_error == why
            stage.clock.now += 2_000
            await round_of(delivery)
        assert stage.outbox(episode)[0].sent_at is not None
    one, again = receiver.ids()
    assert one == again


async def test_nobody_there_is_said_so_and_tried_again(tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        episode = stage.fire()
        stage.tell(episode)
        async with delivering(stage, {"hook": webhook("http://127.0.0.1:1/")}) as delivery:
            await round_of(delivery)
        [row] = stage.outbox(episode)
        assert (row.last_error, row.attempts) == ("the connection was refused", 1)


async def test_what_is_refused_for_good_is_given_up_at_once_and_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with staged(tmp_path) as stage:
        episode = stage.fire()
        stage.tell(episode)
        async with (
            receiving(answer(b"no \x1b[31mfield x", status="400 Bad Request")) as receiver,
            delivering(stage, {"hook": webhook(receiver.url)}) as delivery,
        ):
            await round_of(delivery)
        [row] = read_given_up(stage.db, stage.clock.now)
        assert row.last_error == "400 Bad Request: no ^[[31mfield x"
    [line] = lines_of(caplog)
    why = 'problem="400 Bad Request: no ^[[31mfield x" alerts=1 notification='
    assert line.startswith(f"<3>notification given up channel=hook {why}")


async def test_after_hours_of_failure_it_is_given_up_and_what_is_behind_it_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "watchdeck")
    with staged(tmp_path) as stage:
        episode = stage.fire()
        stage.tell(episode)
        stage.tell(episode, MessageKind.RESOLVED)
        async with (
            receiving(BUSY, BUSY, OK) as receiver,
            delivering(stage, {"hook": webhook(receiver.url)}) as delivery,
        ):
            await round_of(delivery)
            stage.clock.now += GIVE_UP_AFTER
            await round_of(delivery)
        page, resolved = stage.outbox(episode)
        assert page.last_error == "503 Service Unavailable; tried for 4h"
        assert page.gave_up_at == stage.clock.now
        assert resolved.sent_at == stage.clock.now
    assert [line.partition(" channel=")[0] for line in lines_of(caplog)] == [
        "<4>channel fails",
        "<4>channel fails",
        "<3>notification given up",
        "<6>channel works again",
    ]


async def test_no_secret_is_in_what_is_kept_of_a_failure(tmp_path: Path) -> None:
    said = b"bad token hush-TOKEN for hush-URL"
    with staged(tmp_path) as stage:
        episode = stage.fire()
        stage.tell(episode)
        async with receiving(answer(said, status="401 Unauthorized")) as receiver:
            headers = {"Authorization": Secret(env="TOKEN", prefix="Bearer ")}
            async with delivering(
                stage, {"hook": webhook(receiver.url, headers=headers)}
            ) as delivery:
                await round_of(delivery)
        assert receiver.asked[0].headers["authorization"] == "Bearer hush-TOKEN"
        [row] = stage.outbox(episode)
        assert row.last_error == "401 Unauthorized: bad token (secret) for hush-URL"


async def test_a_receiver_that_hangs_holds_up_no_other_and_not_the_event_loop(
    tmp_path: Path,
) -> None:
    with staged(tmp_path, "hung", "well") as stage:
        episode = stage.fire()
        stage.tell(episode)
        async with receiving(HANG) as hung, receiving() as well:
            told = {"hung": webhook(hung.url), "well": webhook(well.url)}
            async with delivering(stage, told, within=SHORT) as delivery:
                await delivery.send_due()
                await well.came.wait()
                gap = await longest_gap(delivery.wait_until_idle)
        assert stage.outbox(episode, "well")[0].sent_at is not None
        assert stage.outbox(episode, "hung")[0].sent_at is None
    assert gap < SHORT / 2


async def test_two_hundred_alerts_at_once_are_three_messages_at_most(tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        for number in range(200):
            severity = Severity(1 + number % 4)
            stage.tell(stage.fire(f"model-{number}", severity), text=f"alert {number}")
            stage.clock.now += 100
        async with (
            receiving() as receiver,
            delivering(stage, {"hook": webhook(receiver.url)}) as delivery,
        ):
            await round_of(delivery)
            stage.clock.now += 30_000
            await round_of(delivery)
        assert read_next_due(stage.db) is None
    assert len(receiver.told) <= 3
    counts = [len(event["data"]["alerts"]) + event["data"]["more"] for event in receiver.told]
    assert sum(counts) == 200


async def test_what_was_taken_back_in_time_is_told_to_nobody(tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        episode = stage.fire()
        stage.tell(episode)
        with transaction(stage.db):
            assert cancel(stage.db, stage.outbox(episode)[0].dedup_key, stage.clock.now) == 1
        async with (
            receiving() as receiver,
            delivering(stage, {"hook": webhook(receiver.url)}) as delivery,
        ):
            await round_of(delivery)
    assert receiver.asked == []


async def test_a_channel_gets_no_more_than_its_rate(tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        for number in range(8):
            stage.windows.clear()
            stage.tell(stage.fire(f"model-{number}"))
            stage.clock.now += 1
        async with (
            receiving() as receiver,
            delivering(stage, {"hook": webhook(receiver.url)}, rate=60) as delivery,
        ):
            await round_of(delivery)
            assert len(receiver.asked) == 5
            stage.clock.now += 2_000
            await round_of(delivery)
            assert len(receiver.asked) == 7


async def test_a_channel_that_nobody_configured_is_given_up(tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        episode = stage.fire()
        stage.tell(episode)
        async with delivering(stage, {}) as delivery:
            await round_of(delivery)
        [row] = stage.outbox(episode)
        assert row.gave_up_at is not None
        assert row.last_error == "no channel of this name is configured"


async def test_a_mistake_of_ours_is_tried_again_and_ends_nothing(tmp_path: Path) -> None:
    async def broken(notification: Notification) -> DeliveryResult:
        raise KeyError(notification.id)

    with staged(tmp_path, "broken", "well") as stage:
        episode = stage.fire()
        stage.tell(episode)
        async with receiving() as receiver:
            told: dict[str, Notifier] = {"broken": broken, "well": webhook(receiver.url)}
            async with delivering(stage, told) as delivery:
                await round_of(delivery)
        [row] = stage.outbox(episode, "broken")
        assert row.last_error == "watchdeck could not send it (KeyError)"
        assert stage.outbox(episode, "well")[0].sent_at is not None


async def test_a_store_that_has_gone_is_said_so_and_waited_for(tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        stage.tell(stage.fire())
        gone = stage.directory.state.with_name("gone.db")
        stage.directory.state.rename(gone)
        async with (
            receiving() as receiver,
            delivering(stage, {"hook": webhook(receiver.url)}) as delivery,
        ):
            await round_of(delivery)
            assert "nobody can be told" in delivery.problem
            gone.rename(stage.directory.state)
            await round_of(delivery)
            assert delivery.problem == ""
    assert len(receiver.asked) == 1


CHILD = """
import asyncio, sys
from pathlib import Path
from watchdeck.domain.settings.receivers import Channel
from watchdeck.domain.values.secret import Secret
from watchdeck.notify.delivery import Delivery, Receiver
from watchdeck.notify.http_post import HttpSender
from watchdeck.notify.webhook import WebhookNotifier
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.worker import StoreWorker

path, url, now = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
channel = Channel("hook", "webhook", url=url)
hook = WebhookNotifier(channel, HttpSender(60.0), lambda secret: "", "/watchdeck/test")
receivers = {"hook": Receiver(hook, timeout=60.0)}
delivery = Delivery(StoreWorker(StoreDirectory(path)), receivers, lambda: now)
asyncio.run(delivery.run())
"""


async def test_a_collector_killed_in_the_middle_tells_the_same_under_the_same_id(
    tmp_path: Path,
) -> None:
    with staged(tmp_path) as stage:
        episode = stage.fire()
        stage.tell(episode)
        async with receiving(HANG, OK) as receiver:
            arguments = (str(tmp_path), receiver.url, str(stage.clock.now))
            child = await asyncio.create_subprocess_exec(sys.executable, "-c", CHILD, *arguments)
            await receiver.came.wait()
            child.kill()
            await child.wait()
            late = stage.fire("churn")
            stage.windows.clear()
            stage.tell(late)
            async with delivering(stage, {"hook": webhook(receiver.url)}) as delivery:
                await round_of(delivery)
        assert stage.outbox(episode)[0].sent_at is not None
        assert stage.outbox(late)[0].sent_at is not None
    first, again, other = receiver.ids()
    assert first == again != other
    assert receiver.told[0] == receiver.told[1]


async def test_a_letter_is_sent_by_whoever_comes_after_a_failed_write(tmp_path: Path) -> None:
    """What arrived and could not be marked as sent is sent again, under the same id."""
    ids: list[str] = []

    with staged(tmp_path) as stage:
        stage.tell(stage.fire())
        gone = stage.directory.state.with_name("gone.db")

        async def taken(notification: Notification) -> DeliveryResult:
            ids.append(notification.id)
            if len(ids) == 1:
                worker = delivery._worker
                stage.directory.state.rename(gone)
                await asyncio.get_running_loop().run_in_executor(worker._thread, worker._close)
            return Sent()

        async with delivering(stage, {"hook": taken}) as delivery:
            await round_of(delivery)
            assert "nobody can be told" in delivery.problem
            gone.rename(stage.directory.state)
            await round_of(delivery)
    assert len(ids) == 2
    assert ids[0] == ids[1]


def test_what_tells_others_loads_nothing_heavy_before_it_must() -> None:
    code = (
        "import sys, watchdeck.notify.delivery, watchdeck.notify.pagerduty;"
        "import watchdeck.notify.apprise, watchdeck.notify.command;"
        "print(sorted({'httpx', 'apprise', 'requests'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


async def test_a_channel_that_fails_is_named_until_it_works(tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        stage.tell(stage.fire())
        async with (
            receiving(BUSY, OK) as receiver,
            delivering(stage, {"hook": webhook(receiver.url)}) as delivery,
        ):
            await round_of(delivery)
            assert delivery.problem.startswith("hook fails: 503 Service Unavailable")
            stage.clock.now += 60_000
            await round_of(delivery)
            assert delivery.problem == ""
