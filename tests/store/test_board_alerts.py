"""The alerts of a board, and who is not to hear of them."""

from contextlib import closing
from pathlib import Path

from store.alerts.made import MINUTE, fire
from store.stores import NOW, whole
from watchdeck.domain.alerts.alert import DisplayState, MuteKind
from watchdeck.domain.alerts.maintenance import Maintenance
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.external.source import ExternalSource, RemoteAlertState, SourceProtocol
from watchdeck.domain.rules.rule import FailedScrapes, Rule
from watchdeck.domain.values.matcher import read_matcher
from watchdeck.store.alerts.acknowledgements import save_silence
from watchdeck.store.alerts.external import (
    _save_remote_state,
    read_open_external,
    register_sources,
)
from watchdeck.store.files.connection import open_writable, transaction
from watchdeck.store.reader import Reader
from watchdeck.store.state.rules import save_maintenance, save_rules


def test_silences_planned_work_and_a_model_that_is_down_mute_what_they_explain(
    tmp_path: Path,
) -> None:
    directory = whole(tmp_path)
    with closing(open_writable(directory.state)) as db:
        for rule, model in (
            ("down", "a"),
            ("slow", "a"),
            ("slow", "b"),
            ("slow", "c"),
            ("slow", "d"),
        ):
            fire(db, rule, model)
        with transaction(db):
            save_rules(db, [Rule("down", "down", FailedScrapes())], NOW)
            save_maintenance(db, [Maintenance("deploy", (read_matcher("model=c"),))], NOW)
            wanted = (read_matcher("model=b"),)
            save_silence(db, Silence(0, wanted, "anna", "x", NOW, NOW + 60 * MINUTE))
    with closing(Reader(directory)) as reader:
        board = reader.board(NOW)
        later = reader.board(NOW + 60 * MINUTE)
        before = reader.board(NOW + MINUTE, NOW - MINUTE)
    muted = {
        (one.alert.rule, one.alert.model): [(mute.kind, mute.by) for mute in one.mutes]
        for one in board.alerts
    }
    assert muted == {
        ("down", "a"): [],
        ("slow", "a"): [(MuteKind.NO_DATA, "a")],
        ("slow", "b"): [(MuteKind.SILENCE, "1")],
        ("slow", "c"): [(MuteKind.MAINTENANCE, "deploy")],
        ("slow", "d"): [],
    }
    assert [one.display_state for one in board.alerts].count(DisplayState.MUTED) == 3
    assert [one.display_state for one in later.alerts].count(DisplayState.MUTED) == 2
    assert [one.id for one in board.silences] == [1]
    assert before.silences == ()


def test_a_board_shows_the_sources_in_use_and_what_they_mute(tmp_path: Path) -> None:
    directory = whole(tmp_path)
    with closing(open_writable(directory.state)) as db:
        old, new = (ExternalSource(name, SourceProtocol.WEBHOOK) for name in ("old", "new"))
        register_sources(db, (old, new), NOW)
        register_sources(db, (new,), NOW)
        fire(db, "slow", "a")
        db.execute("update alert set source = 'new'")
        ((_, alert),) = read_open_external(db)
        muted = RemoteAlertState("slow", NOW, suppressed_by=("silence 7",))
        with transaction(db):
            _save_remote_state(db, alert.source, alert.fingerprint, muted)
    with closing(Reader(directory)) as reader:
        board = reader.board(NOW)
    assert [source.name for source in board.sources] == ["new"]
    assert [mute.kind for mute in board.alerts[0].mutes] == [MuteKind.SOURCE]
