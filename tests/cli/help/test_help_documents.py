"""The reference of JSON has the fields that commands print, and no other."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from msgspec import UnsetType
from msgspec.structs import replace

from cli.commands import Ran, run, run_beside
from cli.help.help_pages import entries
from cli.models.test_board_output import RARE, SHARED, SLOW, UNSEEN, board, model, on_gpu
from cli.rules import test_rules
from domain.notifications.made import message, raised, taken
from servers.captured import captured
from store.alerts.made import fire
from watchdeck.cli.alerts import alerts
from watchdeck.cli.alerts.commands import build_command
from watchdeck.cli.help.docstrings import field_docstrings
from watchdeck.cli.help.documents import DOCUMENTS
from watchdeck.cli.help.type_words import options_of, table_type
from watchdeck.cli.models import board_output, status
from watchdeck.cli.rules import rules
from watchdeck.cli.setup import check
from watchdeck.cli.store import export
from watchdeck.domain.alerts.alert import KnownIssue
from watchdeck.domain.board.board import Health
from watchdeck.domain.notifications.outbox import (
    MAX_LINES,
    OutboxRow,
    build_notification,
    to_payload,
)
from watchdeck.domain.rules.condition import read_condition
from watchdeck.domain.rules.rule import Rule
from watchdeck.notify.webhook import cloud_event
from watchdeck.store.files.connection import open_writable
from watchdeck.store.files.directory import StoreDirectory

MINUTE = 60_000


def documented(name: str) -> set[str]:
    return {*entries("json", name)}


def paths(value: Any, known: set[str], path: str = "") -> Iterator[str]:
    """The path of every field of a document; a key is NAME in a table whose fields the page has."""
    if isinstance(value, list):
        for item in value:
            yield from paths(item, known, f"{path}[]" if path else "")
    elif isinstance(value, dict):
        is_free = any(one.startswith(f"{path}.NAME.") for one in known)
        if path in known and not is_free and not any(o.startswith(f"{path}.") for o in known):
            return
        for name, inner in value.items():
            at = f"{path}.{'NAME' if is_free else name}".lstrip(".")
            if not is_free:
                yield at
            yield from paths(inner, known, at)


def fields(name: str, *documents: Any) -> set[str]:
    known = documented(name)
    return {path for one in documents for path in paths(one, known)}


def in_json(ran: Ran) -> Any:
    assert ran.out, ran.err
    return json.loads(ran.out)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration; its store has an hour of history, an alert with an owner, a silence."""
    path = test_rules.config(tmp_path)
    until = test_rules.lived(tmp_path)
    with closing(open_writable(StoreDirectory(tmp_path / "store").state)) as db:
        fire(db, at=until - MINUTE)
    run(build_command("ack"), "1", config=path)
    silence = ("model=fraud", "--for", "1h", "--reason", "a deploy")
    run(build_command("silence"), *silence, config=path)
    return path


def test_a_status_has_the_fields_of_the_page(config: Path) -> None:
    real = in_json(run(status.command, "--json", config=config))
    bad = model("bad", Health.CRITICAL, latency_p95=SLOW, error_ratio=RARE, request_rate=SHARED)
    made = json.loads(board_output.as_json(board(bad, on_gpu("a", gpu="0"), UNSEEN)))
    found = fields("status", real, made)
    assert found - documented("status") == set()
    assert documented("status") - found == set()
    assert real["alerts"][0]["acknowledged_by"]


def test_the_alerts_have_the_fields_of_the_page(config: Path) -> None:
    answer = in_json(run(alerts.command, "--json", config=config))
    assert fields("alerts", answer) == documented("alerts")


async def test_a_check_has_the_fields_of_the_page(tmp_path: Path) -> None:
    path = tmp_path / "watchdeck.toml"
    endpoint = (
        '[[endpoint]]\nname = "iris"\nurl = "URL"\nslo = { error_ratio = "1%" }\n'
        'map = { queue_depth = "bentoml_service_request_in_progress" }\n'
    )
    path.write_text("evry = 1\n")
    problems = in_json(run(check.command, "--json", config=path))
    unmet = (
        '[[channel]]\nname = "pd"\ntype = "pagerduty"\nrouting_key = { env = "NOT_SET_HERE" }\n'
        '[intake]\ntoken = { env = "NOT_SET_HERE" }\n'
    )
    short = tmp_path / "short"
    short.write_text("abc")
    short.chmod(0o600)
    header = f'headers = {{ X-Key = {{ file = "{short}" }} }}\n'
    async with captured("bentoml-1.4.39", 18100) as server:
        path.write_text(endpoint.replace("URL", server.url()) + header + unmet)
        polled = in_json(await run_beside(check.command, "--json", config=path))
    assert fields("check", problems, polled) == documented("check")
    assert problems.keys() == {"config", "problems"}
    absent_texts = {
        name for name in CHECKED if "absent" in entries("json", "check")[name].paragraphs[0]
    }
    assert absent_texts == CHECKED


CHECKED = {"endpoints", "cannot_be_told", "cannot_be_heard"}
"""The fields of a check that may be absent."""


def test_the_commands_on_rules_have_the_fields_of_the_page(tmp_path: Path) -> None:
    test_rules.judged(tmp_path, test_rules.lived(tmp_path))
    path = test_rules.config(tmp_path)
    listed = in_json(run(rules.command, "list", "--json", config=path))
    replayed = in_json(run(rules.command, "test", "slow", "--json", config=path))
    rated = in_json(run(rules.command, "stats", "--json", config=path))
    assert fields("rules.list", listed) == documented("rules.list")
    assert fields("rules.test", replayed) == documented("rules.test")
    assert fields("rules.stats", rated) == documented("rules.stats")


@pytest.mark.parametrize("stream", ["signals", "series"])
def test_exported_lines_have_the_fields_of_the_page(stream: str, config: Path) -> None:
    arguments = ("-", "--format", "jsonl", "--stream", stream)
    ran = run(export, *arguments, config=config)
    known = documented(f"export.{stream}")
    if stream == "signals":
        assert {*json.loads(ran.out.splitlines()[0])} == known
    else:
        from watchdeck.store.export import TABLES
        from watchdeck.store.metrics.frames import Stream

        assert {*TABLES[Stream.SERIES].columns} == known


def notified(*payloads: Mapping[str, Any]) -> Any:
    """The event of a webhook, as its receiver reads it."""
    rows = [
        OutboxRow(n, "hook", "page", n, dict(one), "", "", "", 0, 0, 0, None, None, None, "")
        for n, one in enumerate(payloads, 1)
    ]
    return json.loads(json.dumps(cloud_event(build_notification("7", rows), "/watchdeck/test")))


def full_payload() -> dict[str, Any]:
    """An alert of which everything is known."""
    issue = KnownIssue(1, "fraud", "", "the driver", "anna", 0, 9)
    active = replace(taken(raised()), known_issues=(issue,))
    test = read_condition("p95 > 200ms").test
    rule = Rule("slow", "p95 > 200ms", test, playbook="slow-model", runbook="https://wiki")
    return to_payload(message(active), active, rule, 1_000, ("anna",))


def bare_payload() -> dict[str, Any]:
    """An external alert of which nothing is known that may be unknown."""
    active = raised()
    alert = replace(active.alert, model="", labels={})
    episode = replace(active.episode, value=None, limit=None, why="")
    active = replace(active, alert=alert, episode=episode)
    return to_payload(message(active), active, None, 1_000, ())


def test_a_webhook_has_the_fields_of_the_page() -> None:
    full, bare = notified(full_payload()), notified(bare_payload())
    assert fields("webhook", full) == documented("webhook")
    absent = fields("webhook", full) - fields("webhook", bare)
    texts = entries("json", "webhook")
    assert {name for name in texts if "absent" in texts[name].paragraphs[0]} == absent


def test_the_times_and_limits_of_a_webhook_are_as_the_page_says() -> None:
    event = notified(*[full_payload()] * (MAX_LINES + 1))
    assert (len(event["data"]["alerts"]), event["data"]["more"]) == (MAX_LINES, 1)
    assert f"{MAX_LINES} at most" in entries("json", "webhook")["data.alerts"].paragraphs[0]
    alert = event["data"]["alerts"][0]
    for name, entry in entries("json", "webhook").items():
        field = name.removeprefix("data.alerts[].")
        if field in alert and field != name:
            is_time = str(alert[field]).startswith(("1970-", "2026-"))
            assert entry.paragraphs[0].startswith("time") is is_time, name


def structs(of: Any) -> Iterator[Any]:
    yield of
    for hint in get_type_hints(of).values():
        for inner in (table_type(hint), *map(table_type, _values(hint))):
            if inner is not None:
                yield from structs(inner)


def _values(hint: Any) -> Sequence[Any]:
    return [one.__args__[1] for one in options_of(hint) if getattr(one, "__origin__", 0) is dict]


@pytest.mark.parametrize("name", [*DOCUMENTS])
def test_every_field_is_explained_and_says_when_it_is_null_or_absent(name: str) -> None:
    for of in structs(DOCUMENTS[name][1]):
        means = field_docstrings(of)
        assert means.keys() >= {*of.__struct_fields__}, of
        for field, hint in get_type_hints(of).items():
            members = getattr(hint, "__args__", ())
            is_left_out = of.__struct_config__.omit_defaults and type(None) in members
            if UnsetType in members or is_left_out:
                assert "absent" in means[field], (of, field)
            elif type(None) in members:
                assert "null" in means[field], (of, field)
