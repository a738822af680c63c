"""The audit: what was written stays, and what was not written is found out."""

import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from store.stores import ANNA, NOW, act, state
from watchdeck.domain.values.operator import Operator
from watchdeck.store.files.connection import Connection, transaction
from watchdeck.store.state.audit import (
    GUARDS,
    ChainHead,
    append_audit,
    missing_guards,
    read_head,
    read_last_of_action,
    verify,
)

ROWS = 6
COLUMNS = ("at", "who", "origin", "action", "subject", "before", "after", "previous", "hash")


def copied(number: int, source: int) -> str:
    """A row that is like another but for its number."""
    rest = ", ".join(COLUMNS)
    values = f"select {number}, {rest} from audit where number = {source}"
    return f"insert into audit (number, {rest}) {values}"


@pytest.mark.parametrize(
    "statement",
    [
        "update audit set who = 'somebody'",
        "update audit set number = 9 where number = 3",
        "delete from audit",
        "insert or replace into audit select * from audit where number = 2",
        copied(9, 1),
        copied(7, 1),
        "update audit_head set rows = 3",
        "update audit_head set hash = 'other'",
        "delete from audit_head",
    ],
)
def test_what_was_written_cannot_be_changed_through_sql(tmp_path: Path, statement: str) -> None:
    with state(tmp_path) as db:
        act(db, ROWS)
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            db.execute(statement)
        assert verify(db).first_bad is None


def test_a_chain_that_nobody_touched_is_sound_and_says_what_could_hide(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        assert verify(db).rows == 0
        act(db, ROWS)
        found = verify(db, read_head(db))
    assert (found.rows, found.first_bad) == (ROWS, None)
    assert found.head.rows == ROWS
    assert str(found.head).startswith(f"{ROWS}:")
    assert "rewriting of the whole file" in found.why


def undone(db: Connection) -> None:
    append_audit(db, NOW, ANNA, "silence", "fraud", None, {"until": 5})
    db.execute("delete from audit")


def test_a_deed_and_its_row_are_undone_together(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        with pytest.raises(sqlite3.IntegrityError), transaction(db):
            undone(db)
        assert read_head(db).rows == 0
        act(db, 1)
        assert verify(db).first_bad is None


def test_names_from_outside_are_cleaned_before_they_are_kept(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        append_audit(
            db, NOW, Operator("\x1b[2Jeve", "\u202e"), "a\nb", "\x00", {"a": "\ud800"}, None
        )
        row = db.execute("select who, origin, action, subject, before from audit").fetchone()
        assert row == ("^[[2Jeve", "<U+202E>", "a^Jb", "^@", r'{"a":"\ud800"}')
        assert verify(db).first_bad is None


def test_the_last_deed_of_a_kind_is_found(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        assert read_last_of_action(db, "silence") is None
        act(db, ROWS)
        assert read_last_of_action(db, "silence") == (f"model-{ROWS}", NOW + ROWS)


def test_a_guard_that_was_taken_away_is_named(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        assert missing_guards(db) == ()
        triggers = db.execute("select name from sqlite_master where type = 'trigger'").fetchall()
        assert sorted(name for (name,) in triggers) == sorted(GUARDS)
        db.execute("drop trigger audit_keeps")
        assert missing_guards(db) == ("audit_keeps",)


def unguarded(db: Connection) -> None:
    """What a person can do who may write the file."""
    for name in GUARDS:
        db.execute(f"drop trigger {name}")


PLACES = count()


def tampered(tmp_path: Path, *statements: str) -> int | None:
    with state(tmp_path / str(next(PLACES))) as db:
        act(db, ROWS)
        unguarded(db)
        for statement in statements:
            db.execute(statement)
        return verify(db).first_bad


NUMBERS = st.integers(1, ROWS)


@given(NUMBERS, st.sampled_from(COLUMNS), st.sampled_from(["'x'", "''", "'x' || {c}", "null"]))
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_edited_value_is_named_at_its_row(
    tmp_path: Path, number: int, column: str, value: str
) -> None:
    nullable = column in ("before", "after")
    new = "at + 1" if column == "at" else value.format(c=f"coalesce({column}, '')")
    if new == "null" and not nullable:
        new = "'null'"
    edit = f"update audit set {column} = {new} where number = {number}"
    keeps = f"{column} is {new}"
    assert tampered(tmp_path, edit) == number or _unchanged(tmp_path, number, keeps)


def _unchanged(tmp_path: Path, number: int, keeps: str) -> bool:
    """Whether the edit wrote what stood there anyway."""
    with state(tmp_path / str(next(PLACES))) as db:
        act(db, ROWS)
        (same,) = db.execute(f"select {keeps} from audit where number = {number}").fetchone()
        return bool(same)


@given(NUMBERS)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_deleted_row_is_named(tmp_path: Path, number: int) -> None:
    assert tampered(tmp_path, f"delete from audit where number = {number}") == number


@given(NUMBERS, NUMBERS)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_in_another_order_are_named_at_the_first(tmp_path: Path, one: int, other: int) -> None:
    swap = (
        f"update audit set number = -1 where number = {one}",
        f"update audit set number = {one} where number = {other}",
        f"update audit set number = {other} where number = -1",
    )
    expected = None if one == other else min(one, other)
    assert tampered(tmp_path, *(swap if one != other else ())) == expected


@pytest.mark.parametrize(
    ("statements", "first_bad"),
    [
        pytest.param([f"delete from audit where number > {ROWS - 2}"], ROWS - 1, id="a short end"),
        pytest.param(["delete from audit"], 1, id="nothing is left"),
        pytest.param(["delete from audit_head"], ROWS + 1, id="the head is gone"),
        pytest.param(["update audit_head set rows = 99"], ROWS + 1, id="the head counts too many"),
        pytest.param(["update audit_head set rows = 4"], 5, id="the head counts too few"),
        pytest.param(["update audit_head set hash = 'x'"], ROWS, id="the head is of another end"),
        pytest.param(
            [copied(0, 1)],
            0,
            id="a row before the first",
        ),
        pytest.param(
            [copied(7, 6)],
            7,
            id="a copy at the end",
        ),
        pytest.param(
            ["update audit set who = cast(x'ff00' as text) where number = 2"],
            2,
            id="bytes that are no text",
        ),
    ],
)
def test_other_ways_to_lie_are_found_out(
    tmp_path: Path, statements: list[str], first_bad: int
) -> None:
    assert tampered(tmp_path, *statements) == first_bad


def test_a_row_forged_with_a_hash_of_its_own_breaks_the_chain_after_it(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        act(db, ROWS)
        unguarded(db)
        previous = "(select previous from audit where number = 3)"
        db.execute(f"update audit_head set rows = 2, hash = {previous}")
        kept = db.execute("select * from audit where number > 3 order by number").fetchall()
        db.execute("delete from audit where number > 2")
        append_audit(db, NOW, Operator("eve"), "nothing", "at all", None, None)
        db.executemany(f"insert into audit values ({', '.join('?' * 10)})", kept)
        found = verify(db)
    assert (found.first_bad, found.rows) == (4, 3)
    assert "one of the two is not genuine" in found.why


def rewritten(path: Path, rows: int) -> None:
    """The whole chain made anew with other content: no trace is left in the file itself."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        unguarded(db)
        db.execute("delete from audit")
        for number in range(1, rows + 1):
            previous = db.execute("select hash from audit where number = ?", (number - 1,))
            head = (previous.fetchone() or ("0" * 64,))[0]
            db.execute("update audit_head set rows = ?, hash = ?", (number - 1, head))
            made = append_audit(db, NOW, Operator("eve"), "nothing", f"{number}", None, None)
            db.execute("update audit_head set rows = ?, hash = ?", (made.rows, made.hash))


@pytest.mark.parametrize(
    ("rows", "first_bad"),
    [
        pytest.param(ROWS, ROWS, id="as long as before"),
        pytest.param(ROWS + 3, ROWS, id="longer than before"),
        pytest.param(ROWS - 2, ROWS - 1, id="shorter than before"),
    ],
)
def test_a_chain_rewritten_whole_is_found_out_by_a_head_kept_elsewhere(
    tmp_path: Path, rows: int, first_bad: int
) -> None:
    with state(tmp_path) as db:
        act(db, ROWS)
        known = read_head(db)
    rewritten(tmp_path / "state.db", rows)
    with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as db:
        assert verify(db).first_bad is None
        assert verify(db, known).first_bad == first_bad
        assert verify(db, replace(known, rows=0, hash="")).first_bad is None
        assert isinstance(verify(db).head, ChainHead)
