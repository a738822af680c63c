"""The real Prometheus and Alertmanager of a distribution: what fires there is an episode here.

Debian: apt-get install prometheus prometheus-alertmanager
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from collector.scrape.test_real_server import free_port
from engine.external.listening import Ear
from servers.loopback import Asked, answer, listening
from store.stores import state_only
from watchdeck.collector.intake.alertmanager import SILENCES, AlertmanagerClient
from watchdeck.domain.alerts.alert import AckEnd, Acknowledgement, AlertState, DataState, Episode
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.intake import Alertmanager, Intake
from watchdeck.domain.values.secret import Secret
from watchdeck.domain.values.units import Milliseconds
from watchdeck.service.intake_loop import IntakeService
from watchdeck.store.alerts.acknowledgements import end_acknowledgement, save_acknowledgement
from watchdeck.store.alerts.episodes import read_open_episodes
from watchdeck.store.alerts.external import read_suppressed
from watchdeck.store.files.connection import open_writable, transaction

PROMETHEUS = shutil.which("prometheus")
ALERTMANAGER = shutil.which("prometheus-alertmanager")
TOKEN = "canary-token-41c7"
RULE = "ModelErrorRatioHigh"
PATIENCE = 120.0

RULES = f"""
groups:
- name: models
  rules:
  - alert: {RULE}
    expr: model_error_ratio > 0.05
    for: 1s
    labels: {{severity: critical}}
    annotations: {{summary: "the model errs"}}
"""

SCRAPES = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{folder}/rules.yml]
scrape_configs:
- job_name: models
  static_configs: [{{targets: ["127.0.0.1:{model}"], labels: {{model: fraud}}}}]
alerting:
  alertmanagers:
  - static_configs: [{{targets: ["127.0.0.1:{manager}"]}}]
  - static_configs: [{{targets: ["127.0.0.1:{intake}"]}}]
    authorization: {{credentials: {token}}}
"""

ROUTES = """
route: {{receiver: watchdeck, group_by: [alertname], group_wait: 0s, group_interval: 1s,
  repeat_interval: 1h}}
receivers:
- name: watchdeck
  webhook_configs:
  - url: http://127.0.0.1:{intake}/alertmanager
    http_config: {{authorization: {{credentials: {token}}}}}
"""


def now() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Loop:
    """The model, the two servers, and what is heard of them."""

    ear: Ear
    client: AlertmanagerClient
    ratio: float = 0.0
    prometheus: asyncio.subprocess.Process | None = None

    async def respond(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        assert asked.target == "/metrics"
        page = f"# TYPE model_error_ratio gauge\nmodel_error_ratio {self.ratio}\n"
        writer.write(answer(page.encode(), "Content-Type: text/plain; version=0.0.4"))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Judge again and again, as a collector does, until it holds."""
        async with asyncio.timeout(PATIENCE):
            while not holds():
                await asyncio.sleep(0.1)
                self.ear.now = now()
                self.ear.judge()

    def episode(self) -> Episode | None:
        """The one episode of the rule, which Prometheus and its Alertmanager tell of."""
        found = [one for one, told in read_open_episodes(self.ear.db) if told.rule == RULE]
        assert len(found) <= 1
        return found[0] if found else None

    async def silences(self, state: str) -> set[str]:
        """Who made the silences there that are in this state."""
        listed = json.loads(await self.client.get(SILENCES))
        return {one["createdBy"] for one in listed if one["status"]["state"] == state}

    async def until_silences(self, state: str, by: set[str]) -> None:
        async with asyncio.timeout(PATIENCE):
            while True:
                if await self.silences(state) == by:
                    return
                await asyncio.sleep(0.1)


@asynccontextmanager
async def running(*command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()


@asynccontextmanager
async def heard(hearing: IntakeService) -> AsyncIterator[int]:
    """Hear until the block ends; the port of the intake is given."""
    task = asyncio.create_task(hearing.run())
    try:
        yield await hearing.listening()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextmanager
def listener(path: Path, manager: int) -> Iterator[tuple[Ear, IntakeService]]:
    store, token = state_only(path / "store"), path / "token"
    token.touch(0o600)
    token.write_text(TOKEN)
    asked = Alertmanager(f"http://127.0.0.1:{manager}", every=Milliseconds(1_000), mirror=True)
    intake = Intake(Secret(file=str(token)), "127.0.0.1:0")
    hearing = IntakeService(Settings(intake=intake, alertmanager=(asked,)), store, now)
    with closing(open_writable(store.state)) as db:
        yield Ear(db, now(), ()), hearing


@asynccontextmanager
async def loop(path: Path) -> AsyncIterator[Loop]:
    if PROMETHEUS is None or ALERTMANAGER is None:
        pytest.skip("prometheus and prometheus-alertmanager are not installed (apt-get install)")
    manager = free_port()
    with listener(path, manager) as (ear, hearing):
        asked = Alertmanager(f"http://127.0.0.1:{manager}")
        scene = Loop(ear, AlertmanagerClient(asked))
        async with heard(hearing) as intake, listening(scene.respond) as model:
            places = {"intake": intake, "manager": manager, "model": model, "token": TOKEN}
            (path / "rules.yml").write_text(RULES)
            (path / "am.yml").write_text(ROUTES.format(**places))
            (path / "prom.yml").write_text(SCRAPES.format(folder=path, **places))
            async with (
                running(
                    ALERTMANAGER,
                    f"--config.file={path}/am.yml",
                    f"--storage.path={path}/am",
                    f"--web.listen-address=127.0.0.1:{manager}",
                    f"--web.external-url=http://127.0.0.1:{manager}",
                    "--cluster.listen-address=",
                ),
                running(
                    PROMETHEUS,
                    f"--config.file={path}/prom.yml",
                    f"--storage.tsdb.path={path}/prom",
                    f"--web.listen-address=127.0.0.1:{free_port()}",
                    "--rules.alert.resend-delay=3s",
                ) as scene.prometheus,
            ):
                yield scene
                await scene.client.close()


async def test_a_rule_that_fires_there_is_acknowledged_here_and_told_back(tmp_path: Path) -> None:
    async with loop(tmp_path) as scene:
        scene.ratio = 0.5
        await scene.until(lambda: scene.episode() is not None)
        episode = scene.episode()
        assert episode is not None
        assert (episode.severity, episode.why) == (Severity.CRITICAL, "the model errs")

        taken_at = now() - 60_000
        ack = Acknowledgement(
            0, episode.id, "anna", taken_at, now() + 600_000, Severity.CRITICAL, "on it"
        )
        with transaction(scene.ear.db):
            kept = save_acknowledgement(scene.ear.db, ack)
        assert kept is not None
        await scene.until_silences("active", {"anna"})
        assert read_suppressed(scene.ear.db) == {}
        with transaction(scene.ear.db):
            assert end_acknowledgement(scene.ear.db, kept, now(), AckEnd.UNACKED)
        await scene.until_silences("active", set())

        scene.ratio = 0.0
        await scene.until(lambda: scene.episode() is None)


@pytest.mark.long
async def test_a_prometheus_that_is_killed_leaves_its_alert_held(tmp_path: Path) -> None:
    """Twelve seconds later Alertmanager says that all is well: it is not believed."""

    def held(episode: Episode | None) -> bool:
        return episode is not None and episode.data is DataState.NONE

    async with loop(tmp_path) as scene:
        scene.ratio = 0.5
        await scene.until(lambda: scene.episode() is not None)
        assert scene.prometheus is not None
        scene.prometheus.kill()
        await scene.until(lambda: held(scene.episode()))
        episode = scene.episode()
        assert episode is not None
        assert episode.condition is AlertState.CLEARING
        assert (RULE, "resolved") not in scene.ear.steps
