from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from notify.outbox import PATIENT, Stage, delivering, known, round_of, staged
from notify.receivers import BUSY, OK, Receiver, receiving
from servers.loopback import answer
from store.alerts.made import ack, end, fire_again
from store.alerts.waiting import read_next_due
from watchdeck.domain.notifications.message import MessageKind
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.settings.receivers import Channel
from watchdeck.domain.values.secret import Secret
from watchdeck.notify.delivery import Delivery
from watchdeck.notify.http_post import HttpSender
from watchdeck.notify.pagerduty import ACK_PREFIX, PagerDutyNotifier
from watchdeck.store.alerts.acknowledgements import save_acknowledgement
from watchdeck.store.files.connection import transaction
from watchdeck.store.worker import StoreWorker

ACKNOWLEDGED, RESOLVED, WORSE = MessageKind.ACKNOWLEDGED, MessageKind.RESOLVED, MessageKind.WORSE
RETURNED = MessageKind.RETURNED


@asynccontextmanager
async def delivering_to_pagerduty(stage: Stage, url: str) -> AsyncIterator[Delivery]:
    channel = Channel("hook", "pagerduty", url=url, routing_key=Secret(env="KEY"))
    worker = StoreWorker(stage.directory)
    notifier = PagerDutyNotifier(channel, HttpSender(PATIENT), known, worker)
    async with delivering(stage, {"hook": notifier}) as delivery:
        yield delivery
    await worker.close()


def actions(receiver: Receiver) -> list[str]:
    return [event["event_action"] for event in receiver.told]


async def everything(stage: Stage, receiver: Receiver) -> None:
    """Send all that is and will be due."""
    async with delivering_to_pagerduty(stage, receiver.url) as delivery:
        while read_next_due(stage.db) is not None:
            await round_of(delivery)
            stage.clock.now += 10_000


async def test_a_trigger_says_what_who_and_how_bad(tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        stage.tell(stage.fire(severity=Severity.CRITICAL), text="slow " * 400)
        async with receiving() as receiver:
            await everything(stage, receiver)
    [event] = receiver.told
    assert event["routing_key"] == "hush-KEY"
    assert event["event_action"] == "trigger"
    assert event["dedup_key"].startswith("watchdeck/")
    assert len(event["dedup_key"]) <= 255
    payload = event["payload"]
    assert len(payload["summary"]) <= 1_024
    assert (payload["severity"], payload["source"], payload["class"]) == (
        "critical",
        "fraud",
        "slow",
    )
    assert (payload["group"], payload["timestamp"]) == ("risk", "2026-11-23T05:00:00.000Z")


async def test_trigger_acknowledge_and_resolve_come_in_this_order_also_after_a_failure(
    tmp_path: Path,
) -> None:
    with staged(tmp_path) as stage:
        episode = stage.fire()
        stage.tell(episode)
        async with receiving(BUSY, BUSY, OK) as receiver:
            async with delivering_to_pagerduty(stage, receiver.url) as delivery:
                await round_of(delivery)
                with transaction(stage.db):
                    assert save_acknowledgement(stage.db, ack(episode))
                stage.tell(episode, ACKNOWLEDGED)
                await round_of(delivery)
                assert set(actions(receiver)) == {"trigger"}
            await everything(stage, receiver)
            end(stage.db, episode, stage.clock.now)
            stage.tell(episode, RESOLVED)
            await everything(stage, receiver)
    assert actions(receiver) == ["trigger", "trigger", "trigger", "acknowledge", "resolve"]
    assert len({event["dedup_key"] for event in receiver.told}) == 1


async def test_what_was_told_together_is_taken_and_over_when_all_of_it_is(tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        first, *others = (stage.fire(f"model-{number}") for number in range(3))
        for episode in (first, *others):
            stage.tell(episode)
        async with receiving() as receiver:
            await everything(stage, receiver)
            assert actions(receiver) == ["trigger", "trigger"]
            alone, together = (event["dedup_key"] for event in receiver.told)
            for episode in others:
                with transaction(stage.db):
                    assert save_acknowledgement(stage.db, ack(episode))
                stage.tell(episode, ACKNOWLEDGED)
                await everything(stage, receiver)
            assert actions(receiver)[2:] == ["acknowledge"]
            assert receiver.told[2]["dedup_key"] == together
            for episode in (others[0], first, others[1]):
                end(stage.db, episode, stage.clock.now)
                stage.tell(episode, RESOLVED)
                await everything(stage, receiver)
        assert [(event["event_action"], event["dedup_key"]) for event in receiver.told[3:]] == [
            ("resolve", alone),
            ("resolve", together),
        ]


async def test_what_got_worse_calls_under_a_key_of_its_own_and_both_are_resolved(
    tmp_path: Path,
) -> None:
    with staged(tmp_path) as stage:
        episode = stage.fire()
        stage.tell(episode)
        async with receiving() as receiver:
            await everything(stage, receiver)
            stage.clock.now += 60_000
            stage.tell(episode, WORSE)
            await everything(stage, receiver)
            end(stage.db, episode, stage.clock.now)
            stage.tell(episode, RESOLVED)
            await everything(stage, receiver)
    assert actions(receiver) == ["trigger", "trigger", "resolve", "resolve"]
    keys = [event["dedup_key"] for event in receiver.told]
    assert keys[:2] == keys[2:]
    assert keys[0] != keys[1]


async def test_an_acknowledgement_from_there_is_not_told_there(tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        episode = stage.fire()
        stage.tell(episode)
        with transaction(stage.db):
            assert save_acknowledgement(stage.db, ack(episode, f"{ACK_PREFIX}Elena"))
        stage.tell(episode, ACKNOWLEDGED, by=f"{ACK_PREFIX}Elena")
        async with receiving() as receiver:
            await everything(stage, receiver)
        assert stage.outbox(episode)[1].sent_at is not None
    assert actions(receiver) == ["trigger"]


async def test_a_bad_event_is_given_up_and_a_refused_one_keeps_the_key_to_itself(
    tmp_path: Path,
) -> None:
    with staged(tmp_path) as stage:
        episode = stage.fire()
        stage.tell(episode)
        bad = answer(b'{"errors":["bad routing key hush-KEY"]}', status="400 Bad Request")
        async with receiving(bad) as receiver:
            await everything(stage, receiver)
        [row] = stage.outbox(episode)
    assert row.gave_up_at is not None
    assert row.last_error == '400 Bad Request: {"errors":["bad routing key (secret)"]}'


async def test_what_was_taken_of_a_letter_is_not_sent_again_with_its_rest(tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        episodes = []
        async with receiving() as receiver:
            for number in range(3):
                episodes.append(stage.fire(f"model-{number}"))
                stage.tell(episodes[-1])
                await everything(stage, receiver)
                stage.clock.now += 60_000
            for episode in episodes:
                end(stage.db, episode, stage.clock.now)
            stage.clock.now += 60_000
            for episode in episodes:
                stage.tell(episode, RESOLVED)
            receiver.answers = [OK, OK, BUSY, OK]
            await everything(stage, receiver)
    resolved = [e["dedup_key"] for e in receiver.told if e["event_action"] == "resolve"]
    assert len(resolved) == 4
    assert len(set(resolved)) == 3


async def test_what_fires_again_opens_its_incident_again_under_the_same_key(
    tmp_path: Path,
) -> None:
    with staged(tmp_path) as stage:
        episode = stage.fire()
        stage.tell(episode)
        async with receiving() as receiver:
            await everything(stage, receiver)
            for _ in range(2):
                over = end(stage.db, episode, stage.clock.now)
                stage.tell(over, RESOLVED)
                await everything(stage, receiver)
                episode = fire_again(stage.db, over, stage.clock.now)
                stage.tell(episode, RETURNED)
                await everything(stage, receiver)
    assert actions(receiver) == ["trigger", "resolve", "trigger", "resolve", "trigger"]
    assert len({event["dedup_key"] for event in receiver.told}) == 1


async def test_what_fires_again_and_has_an_owner_is_acknowledged_there(tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        episode = stage.fire()
        stage.tell(episode)
        async with receiving() as receiver:
            await everything(stage, receiver)
            over = end(stage.db, episode, stage.clock.now)
            stage.tell(over, RESOLVED)
            again = fire_again(stage.db, over, stage.clock.now)
            with transaction(stage.db):
                assert save_acknowledgement(stage.db, ack(again))
            stage.tell(again, RETURNED)
            other = stage.fire("search")
            stage.tell(other)
            await everything(stage, receiver)
    first = receiver.told[0]["dedup_key"]
    of_first = [one["event_action"] for one in receiver.told if one["dedup_key"] == first]
    assert of_first == ["trigger", "trigger", "acknowledge"]
    assert [one["event_action"] for one in receiver.told if one["dedup_key"] != first] == [
        "trigger"
    ]


async def test_a_severity_1_that_is_told_again_is_one_incident(tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        episode = stage.fire(severity=Severity.CRITICAL)
        stage.tell(episode)
        async with receiving() as receiver:
            await everything(stage, receiver)
            stage.clock.now += 1_800_000
            stage.tell(episode, MessageKind.REPEATED)
            await everything(stage, receiver)
            end(stage.db, episode, stage.clock.now)
            stage.tell(episode, RESOLVED)
            await everything(stage, receiver)
    assert actions(receiver) == ["trigger", "trigger", "resolve"]
    assert len({event["dedup_key"] for event in receiver.told}) == 1


async def test_what_is_silenced_is_acknowledged_there_within_the_time_to_undo(
    tmp_path: Path,
) -> None:
    with staged(tmp_path) as stage:
        first, *others = (stage.fire(f"model-{number}") for number in range(3))
        for episode in (first, *others):
            stage.tell(episode)
        async with receiving() as receiver:
            await everything(stage, receiver)
            for episode in (first, others[0]):
                stage.tell(episode, MessageKind.SILENCED)
            await everything(stage, receiver)
            keys = [event["dedup_key"] for event in receiver.told[:2]]
            assert actions(receiver)[2:] == ["acknowledge"]
            assert receiver.told[2]["dedup_key"] == keys[0]
            stage.tell(first, MessageKind.SILENCE_ENDED)
            await everything(stage, receiver)
    assert actions(receiver)[3:] == ["trigger"]
    assert receiver.told[3]["dedup_key"] not in keys
