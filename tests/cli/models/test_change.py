from pathlib import Path

from actions.test_change import marked
from cli.commands import run
from store.stores import NOW
from watchdeck.cli.models.change import command
from watchdeck.domain.settings.configuration import Retention
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.writer import MetricsWriter
from watchdeck.store.migrations import prepare


def configured(tmp_path: Path) -> tuple[Path, StoreDirectory]:
    directory = StoreDirectory(tmp_path / "store")
    prepare(directory)
    writer = MetricsWriter(directory, Retention(), clock=lambda: NOW)
    writer.start()
    writer.register([EndpointFacts("fraud", "http://fraud", 10_000)])
    writer.close()
    config = tmp_path / "watchdeck.toml"
    config.write_text(
        'store = "store"\n[[endpoint]]\nname = "fraud"\nurl = "http://fraud"\n'
        'change = "deploy: v2"\n'
    )
    return config, directory


def test_a_change_is_marked_at_a_time_with_its_kind(tmp_path: Path) -> None:
    config, directory = configured(tmp_path)
    args = ("add", "fraud", "v2 rolled out", "--what", "deploy", "--at", "2026-01-02T03:04:05Z")
    ran = run(command, *args, config=config)
    assert (ran.code, ran.out) == (0, "change 1 of fraud marked at 2026-01-02T03:04:05Z\n")
    assert [(one.what, one.text) for one in marked(directory)] == [("deploy", "v2 rolled out")]


def test_a_model_that_is_not_watched_is_named(tmp_path: Path) -> None:
    ran = run(command, "add", "frawd", "x", config=configured(tmp_path)[0])
    assert ran.code == 2
    assert "Did you mean 'fraud'?" in ran.err


def test_a_kind_of_change_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    ran = run(command, "add", "fraud", "x", "--what", "party", config=configured(tmp_path)[0])
    assert ran.code == 2
    assert "deploy" in ran.err
