import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from msgspec.structs import replace

from notify.outbox import Stage, staged
from notify.receivers import receiving
from servers.loopback import answer
from watchdeck.config.routing import routing_of
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.receivers import Channel, Heartbeat
from watchdeck.domain.values.secret import Secret
from watchdeck.service.notify_loop import NotifyService
from watchdeck.store.alerts.acknowledgements import read_acknowledgements
from watchdeck.store.alerts.episodes import save_episode
from watchdeck.store.alerts.outbox import read_episode_outbox, read_unacknowledged_groups
from watchdeck.store.files.connection import transaction


def secret(folder: Path) -> Secret:
    path = folder / "secret"
    path.write_text("hush-hush\n")
    path.chmod(0o600)
    return Secret(file=str(path))


@asynccontextmanager
async def telling(stage: Stage, settings: Settings, well: str = "") -> AsyncIterator[NotifyService]:
    """All that is told of a stage, as the collector does it, while the block lasts."""
    told = NotifyService(settings, stage.directory, routing_of(settings), stage.clock, lambda: well)
    task = asyncio.create_task(told.run())
    try:
        yield told
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_the_collector_tells_and_gives_signs_of_life(tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        episode = stage.fire()
        stage.tell(episode)
        async with receiving() as hook, receiving() as outside:
            channel = Channel("hook", "webhook", url=hook.url)
            settings = Settings(channel=(channel,), heartbeat=Heartbeat(outside.url))
            async with telling(stage, settings) as told:
                await asyncio.gather(hook.came.wait(), outside.came.wait())
                assert told.problem == ""


async def test_no_sign_of_life_is_given_while_something_is_wrong(tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        stage.tell(stage.fire())
        async with receiving() as hook, receiving() as outside:
            channel = Channel("hook", "webhook", url=hook.url)
            settings = Settings(channel=(channel,), heartbeat=Heartbeat(outside.url))
            async with telling(stage, settings, "health cannot be judged"):
                await hook.came.wait()
        assert outside.asked == []


async def test_who_takes_it_on_the_phone_has_it_here_and_the_others_are_told(
    tmp_path: Path,
) -> None:
    with staged(tmp_path, "pd", "hook") as stage:
        episode = stage.fire()
        stage.tell(episode)
        with transaction(stage.db):
            assert save_episode(stage.db, replace(episode, paged_at=stage.clock.now))
        taken = {
            "status": "acknowledged",
            "acknowledgements": [
                {"acknowledger": {"type": "user_reference", "summary": "Elena"}, "at": "x"}
            ],
        }
        said = answer(json.dumps({"incidents": [taken]}).encode())
        async with receiving() as events, receiving(said) as there, receiving() as hook:
            key = secret(tmp_path)
            pd = Channel(
                *("pd", "pagerduty", events.url), routing_key=key, token=key, api=there.url
            )
            settings = Settings(channel=(pd, Channel("hook", "webhook", url=hook.url)))
            async with telling(stage, settings) as told:
                await asyncio.gather(events.came.wait(), hook.came.wait())
                await told._delivery.wait_until_idle()
                await told._ack_pollers["pd"].poll(read_unacknowledged_groups(stage.db, "pd"))
        [ack] = read_acknowledgements(stage.db).values()
        rows = [
            row for row in read_episode_outbox(stage.db, episode.id) if row.kind == "acknowledged"
        ]
        [audit] = stage.db.execute("select who, action from audit where action like 'ack%'")
    assert (ack.episode, ack.by, ack.note) == (
        episode.id,
        "pagerduty: Elena",
        "acknowledged in PagerDuty",
    )
    assert audit == ("pagerduty: Elena", "ack.set")
    assert {row.channel for row in rows} == {"pd", "hook", "console"}
    assert there.asked[0].headers["authorization"] == "Token token=hush-hush"
    assert "hush" not in json.dumps([row.payload for row in rows])
