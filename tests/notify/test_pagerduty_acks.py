import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.outbox import PATIENT, delivering, known, round_of, staged, webhook
from notify.receivers import receiving
from servers.loopback import answer
from store.alerts.made import ack
from store.stores import NOW
from watchdeck.domain.settings.receivers import Channel
from watchdeck.domain.values.secret import Secret
from watchdeck.errors import WatchdeckError
from watchdeck.notify.http_post import HttpSender
from watchdeck.notify.pagerduty import PagerDutyAckPoller, RemoteAck, remote_ack
from watchdeck.store.alerts.acknowledgements import save_acknowledgement
from watchdeck.store.alerts.outbox import NotifiedGroup, read_unacknowledged_groups
from watchdeck.store.files.connection import transaction

ELENA = {"type": "user_reference", "summary": "Elena", "id": "P1"}


def body(*incidents: dict[str, Any]) -> bytes:
    return json.dumps({"incidents": incidents}).encode()


def acknowledged(*by: dict[str, str], key: str = "k") -> dict[str, Any]:
    takers = [{"acknowledger": one} for one in by]
    return {"incident_key": key, "status": "acknowledged", "acknowledgements": takers}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(body(), None, id="no incident"),
        pytest.param(body({"incident_key": "k", "status": "triggered"}), None, id="nobody yet"),
        pytest.param(
            body(acknowledged(ELENA)),
            RemoteAck("Elena", "acknowledged in PagerDuty"),
            id="somebody",
        ),
        pytest.param(
            body(acknowledged({"type": "user_reference", "summary": "Ben"}, ELENA)),
            RemoteAck("Elena", "acknowledged in PagerDuty"),
            id="the last of two",
        ),
        pytest.param(body(acknowledged(ELENA, key="x")), None, id="another's incident"),
        pytest.param(
            body({"incident_key": "k", "status": "resolved", "last_status_change_by": ELENA}),
            RemoteAck("Elena", "resolved in PagerDuty while it still fires"),
            id="resolved by a person",
        ),
        pytest.param(
            body(
                {
                    "incident_key": "k",
                    "status": "resolved",
                    "last_status_change_by": {"type": "service_reference", "summary": "auto"},
                }
            ),
            None,
            id="resolved by a time limit",
        ),
        pytest.param(
            body(acknowledged({"type": "user_reference", "summary": "E\x1b[2J"})),
            RemoteAck("E^[[2J", "acknowledged in PagerDuty"),
            id="a hostile name",
        ),
    ],
)
def test_who_has_an_incident(said: bytes, expected: RemoteAck | None) -> None:
    assert remote_ack(said, "k") == expected


@given(
    st.one_of(
        st.binary(max_size=80),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["incidents", "status", "incident_key", "acknowledgements"]),
                    inner,
                    max_size=3,
                )
            ),
        ).map(lambda value: json.dumps({"incidents": value}).encode()),
    )
)
def test_an_answer_that_makes_no_sense_is_nobody_or_an_error(said: bytes) -> None:
    try:
        found = remote_ack(said, "k")
    except WatchdeckError:
        found = None
    assert found is None


class Heard:
    """Remembers who took what."""

    def __init__(self) -> None:
        self.taken: list[tuple[tuple[int, ...], str, str]] = []

    async def __call__(self, episodes: tuple[int, ...], by: str, note: str) -> None:
        self.taken.append((episodes, by, note))


def phone(url: str, heard: Heard) -> PagerDutyAckPoller:
    channel = Channel("hook", "pagerduty", api=url, token=Secret(env="TOKEN"))
    return PagerDutyAckPoller(channel, HttpSender(PATIENT), known, heard)


async def test_who_took_it_there_has_all_that_was_told_under_that_key(tmp_path: Path) -> None:
    heard = Heard()
    with staged(tmp_path) as stage:
        episodes = [stage.fire(f"model-{number}") for number in range(3)]
        for episode in episodes:
            stage.tell(episode)
        async with receiving() as hook, delivering(stage, {"hook": webhook(hook.url)}) as delivery:
            await round_of(delivery)
            stage.clock.now += 30_000
            await round_of(delivery)
        with transaction(stage.db):
            assert save_acknowledgement(stage.db, ack(episodes[1]))
        groups = read_unacknowledged_groups(stage.db, "hook")
        key = f"watchdeck/{groups[1].group}"
        async with receiving(answer(body()), answer(body(acknowledged(ELENA, key=key)))) as there:
            await phone(there.url, heard).poll(groups)
    assert [len(group.unacknowledged) for group in groups] == [1, 1]
    assert heard.taken == [((episodes[2].id,), "pagerduty: Elena", "acknowledged in PagerDuty")]
    asked = there.asked[1]
    assert asked.target.startswith("/hook/incidents?incident_key=watchdeck%2F")
    assert asked.headers["authorization"] == "Token token=hush-TOKEN"


@pytest.mark.parametrize(
    ("at", "taken"),
    [
        pytest.param("2026-11-23T05:00:01Z", True, id="after that"),
        pytest.param("2026-11-23T04:59:59Z", False, id="before that"),
        pytest.param("soon", False, id="nobody knows when"),
    ],
)
async def test_what_was_given_back_here_is_not_taken_by_an_old_word_from_there(
    at: str,
    taken: bool,  # noqa: FBT001
) -> None:
    heard = Heard()
    incident = acknowledged(ELENA, key="watchdeck/f")
    incident["acknowledgements"][0]["at"] = at
    async with receiving(answer(body(incident))) as there:
        await phone(there.url, heard).poll((NotifiedGroup("f", (1,), (1,), NOW),))
    assert bool(heard.taken) is taken


async def test_what_cannot_be_asked_is_said_so_and_takes_nothing() -> None:
    heard = Heard()
    refusal = answer(b"bad token hush-TOKEN", status="401 Unauthorized")
    async with receiving(refusal) as there:
        asking = phone(there.url, heard)
        await asking.poll((NotifiedGroup("f", (1,), (1,)),))
    assert asking.problem == (
        "hook cannot be asked who has what: 401 Unauthorized: bad token (secret)"
    )
    assert heard.taken == []


async def test_of_many_keys_some_are_asked_for_each_time_and_none_is_forgotten() -> None:
    groups = tuple(NotifiedGroup(str(number), (number,), (number,)) for number in range(45))
    async with receiving(answer(body())) as there:
        asking = phone(there.url, Heard())
        for _ in range(3):
            await asking.poll(groups)
    assert len({asked.target for asked in there.asked}) == 45
