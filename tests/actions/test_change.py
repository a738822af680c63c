"""What people say of a change is kept with who said it; what the configuration says, once."""

from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from store.stores import NOW
from watchdeck.actions.change import add_change, mark_configured
from watchdeck.domain.board.board import Change
from watchdeck.domain.board.change import ChangeError, ChangeKind, Marker
from watchdeck.domain.settings.configuration import Retention
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.domain.values.operator import Operator
from watchdeck.store.files.connection import open_readonly
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.writer import MetricsWriter
from watchdeck.store.migrations import prepare
from watchdeck.store.state.audit import verify
from watchdeck.store.state.changes import read_changes

ANNA = Operator("anna", "10.0.0.9")
FRAUD = EndpointFacts("fraud-detector", "http://fraud", 10_000)
ROLLOUT = Marker(ChangeKind.DEPLOY, "v2 rolled out")


def register(directory: StoreDirectory, *fleet: EndpointFacts) -> None:
    writer = MetricsWriter(directory, Retention(), clock=lambda: NOW)
    writer.start()
    writer.register(fleet)
    writer.close()


@pytest.fixture
def directory(tmp_path: Path) -> StoreDirectory:
    place = StoreDirectory(tmp_path / "store")
    prepare(place)
    register(place, FRAUD)
    return place


def marked(directory: StoreDirectory) -> tuple[Change, ...]:
    with closing(open_readonly(directory.state)) as db:
        return read_changes(db, 0, NOW + 1)


def audited(directory: StoreDirectory) -> list[tuple[str, str, str]]:
    with closing(open_readonly(directory.state)) as db:
        assert verify(db).first_bad is None
        return db.execute("select who, action, subject from audit order by number").fetchall()


def test_a_change_is_kept_with_who_marked_it(directory: StoreDirectory) -> None:
    assert add_change(directory, FRAUD.name, ROLLOUT, NOW - 60_000, ANNA, NOW) == 1
    assert marked(directory) == (
        Change(1, FRAUD.name, NOW - 60_000, "deploy", "v2 rolled out", "anna from 10.0.0.9"),
    )
    assert audited(directory) == [("anna", "change add", FRAUD.name)]


@pytest.mark.parametrize(
    ("name", "text", "at", "said"),
    [
        pytest.param("fraud-detectr", "x", NOW, "Did you mean 'fraud-detector'", id="a near name"),
        pytest.param("zzz", "x", NOW, "There are: fraud-detector", id="no such model"),
        pytest.param(FRAUD.name, "  ", NOW, "empty", id="no words"),
        pytest.param(FRAUD.name, "x" * 201, NOW, "201 characters", id="too many words"),
        pytest.param(FRAUD.name, "x", NOW + 1, "in the future", id="the future"),
    ],
)
def test_what_cannot_be_marked_is_refused_and_leaves_nothing(
    directory: StoreDirectory, name: str, text: str, at: int, said: str
) -> None:
    with pytest.raises(ChangeError, match=said):
        add_change(directory, name, Marker(ChangeKind.NOTE, text), at, ANNA, NOW)
    assert marked(directory) == ()
    assert audited(directory) == []


def test_what_a_terminal_would_obey_is_made_visible(directory: StoreDirectory) -> None:
    add_change(directory, FRAUD.name, Marker(ChangeKind.NOTE, "a\x1b[2Jb"), NOW, ANNA, NOW)
    assert "\x1b" not in marked(directory)[0].text


def test_another_change_text_in_the_configuration_is_marked_once(directory: StoreDirectory) -> None:
    told = replace(FRAUD, change="retrain: on October's data")
    assert mark_configured(directory, [told], ANNA, NOW) == 1
    register(directory, told)
    assert mark_configured(directory, [told], ANNA, NOW) == 0
    (change,) = marked(directory)
    assert (change.what, change.text, change.source) == ("retrain", "on October's data", "config")
    assert mark_configured(directory, [replace(told, change="limit raised")], ANNA, NOW) == 1
    assert [(one.what, one.text) for one in marked(directory)][1:] == [("config", "limit raised")]


def test_a_new_endpoint_and_one_without_words_are_not_marked(directory: StoreDirectory) -> None:
    new = EndpointFacts("new", "http://new", 10_000, change="first")
    assert mark_configured(directory, [new, FRAUD], ANNA, NOW) == 0
