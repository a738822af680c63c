"""`status` prints a board, or the part of it that a filter chooses."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from cli.commands import Ran, run
from store.alerts.made import fire
from store.stores import NOW
from watchdeck.cli.models.status import command
from watchdeck.domain.settings.configuration import Retention
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.store.files.connection import open_writable
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.writer import MetricsWriter
from watchdeck.store.migrations import prepare


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration, and a store with two models that have an alert each."""
    directory = StoreDirectory(tmp_path / "store")
    prepare(directory)
    writer = MetricsWriter(directory, Retention(), clock=lambda: NOW)
    writer.start()
    owners = {"fraud": "risk", "churn": "ads"}
    writer.register([EndpointFacts(n, f"http://{n}", 10_000, owner=o) for n, o in owners.items()])
    writer.close()
    with closing(open_writable(directory.state)) as db:
        fire(db)
        fire(db, model="churn")
    path = tmp_path / "watchdeck.toml"
    path.write_text(
        'store = "store"\n[[endpoint]]\nname = "fraud"\nurl = "http://fraud"\n'
        '[console]\nfilters = { mine = "owner=risk" }\n'
    )
    return path


def status(config: Path, *args: str) -> Ran:
    return run(command, *args, config=config)


@pytest.mark.parametrize("text", ["mine", "@mine", "owner=risk", "fraud"])
def test_a_filter_chooses_models_and_their_alerts(config: Path, text: str) -> None:
    lines = status(config, "--filter", text).out.splitlines()
    assert lines[1] == "1 of 2 models: 1 unknown"
    assert [line.split()[1] for line in lines[5:6]] == ["fraud"]
    assert not any("churn" in line for line in lines)
    found = json.loads(status(config, "--filter", text, "--json").out)
    assert [one["name"] for one in found["models"]] == ["fraud"]
    assert [one["model"] for one in found["alerts"]] == ["fraud"]


def test_without_a_match_it_says_how_many_models_there_are(config: Path) -> None:
    ran = status(config, "--filter", "owner=nobody")
    assert "no model matches; 2 are watched" in ran.out
    assert ran.code == 3


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (("--filter", "p95>"), "after p95> a value is missing (at character 5)"),
        (("--filter", "@other"), "there is no filter of this name. Saved are @mine"),
        (("--follow", "--filter", "mine"), "leave out --json, --at and --filter"),
    ],
)
def test_a_filter_that_cannot_be_used_is_a_failure(
    config: Path, args: tuple[str, ...], why: str
) -> None:
    ran = status(config, *args)
    assert (ran.code, ran.out) == (3, "")
    assert why in " ".join(ran.err.split())
