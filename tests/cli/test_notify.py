"""A channel is tried with one message that says that it is a test."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from cli.commands import Ran, run, run_beside
from notify.receivers import BUSY, HANG, receiving
from servers.loopback import answer
from watchdeck.cli.notify import command
from watchdeck.store.files.connection import open_readonly
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.migrations import prepare

TEXT = "[TEST] nothing is wrong: "


def config(folder: Path, *channels: str) -> Path:
    path = folder / "watchdeck.toml"
    tables = "".join(f"[[channel]]\n{channel}\n" for channel in channels)
    path.write_text(f'store = "store"\n{tables}')
    path.chmod(0o600)
    return path


def webhook(url: str, name: str = "hook") -> str:
    return f'name = "{name}"\ntype = "webhook"\nurl = "{url}"\ntimeout = "1s"'


def pagerduty(folder: Path, url: str) -> str:
    key = folder / "key"
    key.write_text("0123456789abcdef0123456789abcdef\n")
    key.chmod(0o600)
    return f'name = "pager"\ntype = "pagerduty"\nurl = "{url}"\nrouting_key = {{ file = "{key}" }}'


async def tried(path: Path, name: str) -> Ran:
    return await run_beside(command, "test", name, config=path)


async def test_a_webhook_gets_a_message_that_says_that_it_is_a_test(tmp_path: Path) -> None:
    async with receiving() as receiver:
        ran = await tried(config(tmp_path, webhook(receiver.url)), "hook")
    assert (ran.code, ran.out, ran.err) == (0, "hook (webhook): sent, and taken\n", "")
    [told] = receiver.told
    assert told["type"] == "dev.watchdeck.alert.test.v1"
    [alert] = told["data"]["alerts"]
    assert alert["text"].startswith(TEXT)
    assert (alert["condition"], alert["episode"], alert["severity"]) == ("ok", 0, 4)
    assert not (tmp_path / "store").exists()


async def test_an_incident_of_its_own_is_opened_and_resolved(tmp_path: Path) -> None:
    async with receiving() as receiver:
        ran = await tried(config(tmp_path, pagerduty(tmp_path, receiver.url)), "pager")
    assert ran.code == 0
    opened, resolved = receiver.told
    assert (opened["event_action"], resolved["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == resolved["dedup_key"]
    assert TEXT in opened["payload"]["summary"]


async def test_an_incident_that_stays_open_is_a_failure(tmp_path: Path) -> None:
    async with receiving(answer(status="202 Accepted"), BUSY) as receiver:
        ran = await tried(config(tmp_path, pagerduty(tmp_path, receiver.url)), "pager")
    assert (ran.code, len(receiver.asked)) == (1, 2)
    assert "not sent: 503 Service Unavailable" in ran.out


def test_a_command_reads_the_message(tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = f'name = "script"\ntype = "command"\ncommand = ["/bin/sh", "-c", "cat > {out}"]'
    assert run(command, "test", "script", config=config(tmp_path, script)).code == 0
    assert json.loads(out.read_text())["data"]["title"].startswith(f"[SEV 4] {TEXT}")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        pytest.param(answer(b"gone", status="410 Gone"), "410 Gone: gone", id="refused"),
        pytest.param(BUSY, "503 Service Unavailable", id="busy"),
        pytest.param(HANG, "no answer in time", id="silent"),
    ],
)
async def test_why_a_message_was_not_taken_is_told(tmp_path: Path, said: bytes, why: str) -> None:
    async with receiving(said) as receiver:
        ran = await tried(config(tmp_path, webhook(receiver.url)), "hook")
    assert (ran.code, ran.out) == (1, f"hook (webhook): not sent: {why}\n")


def test_a_secret_that_is_missing_is_named(tmp_path: Path) -> None:
    text = 'name = "pager"\ntype = "pagerduty"\nrouting_key = { env = "NOT_SET_HERE" }'
    ran = run(command, "test", "pager", config=config(tmp_path, text))
    assert ran.code == 1
    assert "not sent: the environment variable NOT_SET_HERE is not set" in ran.out


@pytest.mark.parametrize(
    ("names", "name", "hint"),
    [
        pytest.param(("hook", "pager"), "x\x1b", "There are: hook, pager.", id="others are named"),
        pytest.param(("hook", "pager"), "hok", "Did you mean 'hook'?", id="a near one is named"),
        pytest.param((), "hook", "Write [[channel]] first.", id="there is none"),
    ],
)
def test_a_channel_that_is_not_configured_is_told_with_those_that_are(
    tmp_path: Path, names: tuple[str, ...], name: str, hint: str
) -> None:
    path = config(tmp_path, *(webhook("http://127.0.0.1:1", one) for one in names))
    ran = run(command, "test", name, config=path)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.endswith(hint)
    assert "\x1b" not in ran.err


async def test_the_audit_knows_who_tried_what_and_no_alert_is_stored(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path / "store")
    prepare(directory)
    async with receiving(BUSY) as receiver:
        await tried(config(tmp_path, webhook(receiver.url)), "hook")
    with closing(open_readonly(directory.state)) as db:
        rows = db.execute("select action, subject, after from audit").fetchall()
        stored = [db.execute(f"select count(*) from {name}").fetchone() for name in TABLES]
    after = '{"problem":"503 Service Unavailable","sent":false}'
    assert [tuple(row) for row in rows] == [("notify test", "hook", after)]
    assert [tuple(row) for row in stored] == [(0,), (0,), (0,)]


TABLES = ("alert", "episode", "outbox")
