"""An Alertmanager that is asked: what it says is kept, what it does not say is no all-clear."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from domain.external.payloads import alert, listed, posted
from engine.external.listening import Ear
from net.clients import reading as reader_for
from servers.loopback import Asked, answer, listening
from store.stores import NOW, state_only
from watchdeck.collector.intake.alertmanager import AlertmanagerClient, AlertmanagerPoller
from watchdeck.config.checks.intake import endpoint_of
from watchdeck.domain.alerts.alert import AckEnd, Acknowledgement
from watchdeck.domain.external.source import ExternalSource, SourceProtocol
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.settings.intake import Alertmanager
from watchdeck.domain.values.datetimes import read_rfc3339, write_rfc3339
from watchdeck.domain.values.units import Milliseconds
from watchdeck.store.alerts.acknowledgements import end_acknowledgement, save_acknowledgement
from watchdeck.store.alerts.external import read_sources, read_suppressed
from watchdeck.store.files.connection import Connection, open_writable, transaction
from watchdeck.store.worker import StoreWorker

MINUTE = 60_000


@dataclass
class Manager:
    """An Alertmanager in miniature."""

    alerts: bytes = b"[]"
    uptime: str = "2026-11-23T04:00:00.123456789Z"
    silences: dict[str, dict[str, Any]] = field(default_factory=dict)
    broken: str = ""
    received: int | None = None
    port: int = 0

    async def respond(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        if self.broken == "hang":
            await asyncio.Event().wait()
        if self.broken:
            writer.write(answer(b"", status=self.broken))
            return
        writer.write(self._said(asked))

    def _said(self, asked: Asked) -> bytes:
        if asked.target == "/api/v2/alerts":
            return answer(self.alerts)
        if asked.target == "/api/v2/status":
            return answer(json.dumps({"uptime": self.uptime}).encode())
        if asked.target == "/metrics" and self.received is not None:
            counted = f'alertmanager_alerts_received_total{{status="resolved"}} {self.received}'
            return answer(f"go_threads 7\n{counted}\n".encode())
        if asked.target == "/api/v2/silences" and asked.method == "POST":
            body = json.loads(asked.body)
            number = body.pop("id", None) or f"silence-{len(self.silences)}"
            self.silences[number] = body | {"id": number, "status": {"state": "active"}}
            return answer(json.dumps({"silenceID": number}).encode())
        if asked.method == "DELETE":
            self.silences[asked.target.rpartition("/")[2]]["status"] = {"state": "expired"}
            return answer()
        return answer(json.dumps(list(self.silences.values())).encode())

    def active(self) -> list[dict[str, Any]]:
        return [one for one in self.silences.values() if one["status"]["state"] == "active"]


@dataclass
class Scene:
    """A poll, what it polls, and an engine that judges what it kept."""

    manager: Manager
    poll: AlertmanagerPoller
    ear: Ear

    async def ask(self, after: int = 15_000) -> str:
        self.ear.now += after
        said = await self.poll.poll()
        self.ear.judge()
        return said

    @property
    def db(self) -> Connection:
        return self.ear.db

    def source(self) -> ExternalSource:
        return next(one for one in read_sources(self.db) if one.name == "eu")


@asynccontextmanager
async def polled(path: Path, *, mirror: bool = False) -> AsyncIterator[Scene]:
    store, manager = state_only(path / "store"), Manager()
    async with listening(manager.respond) as manager.port:
        asked = Alertmanager(
            f"http://127.0.0.1:{manager.port}", "eu", timeout=Milliseconds(1_000), mirror=mirror
        )
        source = ExternalSource("eu", SourceProtocol.LIST, 35_000, expected=True, hold=300_000)
        desk = StoreWorker(store)
        with closing(open_writable(store.state)) as db:
            ear = Ear(db, NOW, (source,))
            async with reader_for(endpoint_of(asked)) as reader:
                client = AlertmanagerClient(asked, reader)
                poll = AlertmanagerPoller(asked, desk, lambda: ear.now, client)
                yield Scene(manager, poll, ear)
        await desk.close()


def fires(name: str = "Slow", **changed: Any) -> bytes:
    told = {"fingerprint": f"of-{name}", "endsAt": write_rfc3339(NOW + 90 * MINUTE)} | changed
    return json.dumps([alert(name, **told)]).encode()


async def test_what_fires_there_opens_here_and_what_is_gone_there_is_over(tmp_path: Path) -> None:
    async with polled(tmp_path) as scene:
        scene.manager.alerts = fires()
        assert await scene.ask() == ""
        assert set(scene.ear.open()) == {"Slow"}
        scene.manager.alerts = b"[]"
        await scene.ask()
        assert scene.ear.open() == {}


async def test_inhibited_alerts_open_and_are_quiet_at_their_source(tmp_path: Path) -> None:
    async with polled(tmp_path) as scene:
        scene.manager.alerts = listed("alerts_inhibited")
        await scene.ask()
        assert len(scene.ear.open()) == 3
        assert set(read_suppressed(scene.db).values()) == {("alert bd11ab4d362309b9",)}


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        pytest.param("503 Service Unavailable", "503 Service Unavailable", id="it refuses"),
        pytest.param("hang", "no answer in time", id="it hangs"),
    ],
)
async def test_who_does_not_answer_is_silent_and_clears_nothing(
    tmp_path: Path, broken: str, words: str
) -> None:
    async with polled(tmp_path) as scene:
        scene.manager.alerts = fires()
        await scene.ask()
        scene.manager.broken = broken
        for _ in range(3):
            assert words in await scene.ask()
        assert set(scene.ear.open()) == {"Slow", "source_silent"}
        assert words in scene.ear.open()["source_silent"].why
        scene.manager.broken = ""
        assert await scene.ask() == ""
        assert set(scene.ear.open()) == {"Slow"}


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b"[" * 100_000])
async def test_an_answer_that_cannot_be_read_clears_nothing(tmp_path: Path, body: bytes) -> None:
    async with polled(tmp_path) as scene:
        scene.manager.alerts = fires()
        await scene.ask()
        scene.manager.alerts = body
        assert await scene.ask() != ""
        assert set(scene.ear.open()) == {"Slow"}
        assert scene.source().problem != ""


async def test_an_alert_that_cannot_be_read_does_not_count_as_gone(tmp_path: Path) -> None:
    async with polled(tmp_path) as scene:
        scene.manager.alerts = fires()
        await scene.ask()
        scene.manager.alerts = b'[{"labels": 7}]'
        await scene.ask()
        assert set(scene.ear.open()) == {"Slow"}


async def test_an_empty_list_after_its_restart_is_no_all_clear(tmp_path: Path) -> None:
    async with polled(tmp_path) as scene:
        scene.manager.alerts = fires()
        await scene.ask()
        scene.manager.alerts, scene.manager.uptime = b"[]", "2026-11-23T05:00:40Z"
        for _ in range(15):
            await scene.ask()
        assert set(scene.ear.open()) == {"Slow"}
        scene.manager.alerts = fires()
        await scene.ask()
        assert scene.ear.steps == [("Slow", "fired")]


def take(scene: Scene, note: str = "") -> Acknowledgement:
    """Anna has the alert from now on, for half an hour."""
    number = scene.ear.open()["Slow"].id
    now = scene.ear.now
    ack = Acknowledgement(0, number, "anna", now, now + 30 * MINUTE, Severity.CRITICAL, note)
    with transaction(scene.db):
        kept = save_acknowledgement(scene.db, ack)
    assert kept is not None
    return kept


async def test_who_has_it_here_silences_it_there_until_that_ends(tmp_path: Path) -> None:
    async with polled(tmp_path, mirror=True) as scene:
        scene.manager.alerts = fires(labels={"alertname": "Slow", "odd": "\x1b[31m"})
        await scene.ask()
        ack = take(scene, "on it")
        await scene.ask(after=5_000)
        assert scene.manager.active() == []
        await scene.ask()
        [silence] = scene.manager.active()
        assert silence["createdBy"] == "anna"
        assert silence["comment"].endswith(f" ack {ack.id}: on it")
        assert read_rfc3339(silence["endsAt"]) == ack.expires_at
        assert {one["name"]: one["value"] for one in silence["matchers"]} == {
            "alertname": "Slow",
            "odd": "\x1b[31m",
        }
        await scene.ask()
        assert len(scene.manager.silences) == 1
        with transaction(scene.db):
            assert end_acknowledgement(scene.db, ack, scene.ear.now, AckEnd.UNACKED)
        await scene.ask()
        assert scene.manager.active() == []
        actions = [row[0] for row in scene.db.execute("select action from audit order by number")]
        assert actions[-2:] == ["ack.mirrored", "ack.unmirrored"]


async def test_our_own_silence_there_does_not_make_the_alert_quiet_here(tmp_path: Path) -> None:
    async with polled(tmp_path, mirror=True) as scene:
        scene.manager.alerts = fires()
        await scene.ask()
        take(scene)
        await scene.ask()
        [silence] = scene.manager.active()
        both = {"state": "suppressed", "silencedBy": [silence["id"], "another"]}
        scene.manager.alerts = fires(status=both)
        await scene.ask()
        assert list(read_suppressed(scene.db).values()) == [("silence another",)]


async def test_silences_of_others_and_of_other_watchdecks_are_left_alone(tmp_path: Path) -> None:
    async with polled(tmp_path, mirror=True) as scene:
        for number, comment in enumerate(("vendor ticket 42", "watchdeck 0badcafe ack 1", "")):
            scene.manager.silences[str(number)] = {
                "id": str(number),
                "comment": comment,
                "status": {"state": "active"},
                "endsAt": write_rfc3339(NOW + MINUTE),
            }
        await scene.ask()
        assert len(scene.manager.active()) == 3


async def test_a_silence_ends_with_its_episode(tmp_path: Path) -> None:
    async with polled(tmp_path, mirror=True) as scene:
        scene.manager.alerts = fires()
        await scene.ask()
        take(scene)
        await scene.ask()
        assert len(scene.manager.active()) == 1
        scene.manager.alerts = b"[]"
        await scene.ask()
        await scene.ask()
        assert scene.manager.active() == []


@pytest.mark.parametrize(
    ("heard", "minutes"),
    [
        pytest.param(True, 11, id="its sender goes on sending to it"),
        pytest.param(False, None, id="nobody sends to it: who knows whether it is over"),
    ],
)
async def test_an_end_from_before_a_restart_counts_once_its_sender_is_heard_again(
    tmp_path: Path, *, heard: bool, minutes: int | None
) -> None:
    async with polled(tmp_path) as scene:
        scene.manager.received = 40
        ends_at = write_rfc3339(NOW + 4 * MINUTE)
        scene.manager.alerts = posted(alert(updatedAt=write_rfc3339(NOW), endsAt=ends_at))
        await scene.ask()
        scene.manager.alerts = b"[]"
        scene.manager.uptime = write_rfc3339(scene.ear.now)
        scene.manager.received = 0
        ended = None
        for step in range(80):
            scene.manager.received += heard
            await scene.ask()
            if ended is None and not scene.ear.open():
                ended = step // 4 + 1
        assert (ended is None) is (minutes is None)
        assert ended is None or ended <= (minutes or 0)
