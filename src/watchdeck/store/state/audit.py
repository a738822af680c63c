"""The audit: an append-only record of all actions, each row chained to the last one by its hash.

`verify` detects a row that was edited, deleted, inserted or moved, and a truncated end. Alone, it
cannot detect that somebody who may write the file replaced the whole chain and its head. To detect
that too, store a head (its count and hash) elsewhere and pass it to `verify`.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from sqlite3 import Connection
from typing import Any

from msgspec import Struct

from watchdeck.domain.values.operator import Operator
from watchdeck.domain.values.text import clean

_COLUMNS = ("number", "at", "who", "origin", "action", "subject", "before", "after", "previous")

_APPEND = """
insert into audit (number, at, who, origin, action, subject, before, after, previous, hash)
values (:number, :at, :who, :origin, :action, :subject, :before, :after, :previous, :hash)
"""

_READ = f"select {', '.join(_COLUMNS)}, hash from audit order by number"

_HEAD = "select rows, hash from audit_head where id = 1"

_LAST = "select subject, at from audit where action = :action order by number desc limit 1"

_COUNT = """
select count(*)
from (select at, who, action, subject from audit order by number desc limit :limit) as newest
where action = :action and subject = :subject and who = :who and at > :since
"""

_SOME = f"select {', '.join(_COLUMNS)} from audit where number between :first and :last order by 1"

_FIRST_PREVIOUS = "0" * 64
"""The previous hash of the first row."""


class ChainHead(Struct, frozen=True):
    """The end of the audit's hash chain: the number of rows, and the hash of the last one."""

    rows: int
    hash: str

    def __str__(self) -> str:
        return f"{self.rows}:{self.hash}"


class AuditVerification(Struct, frozen=True):
    """The result of checking every row of the audit's hash chain."""

    rows: int
    """Sound rows before the first bad one."""
    first_bad: int | None
    """The number of the first bad row; None when all rows are sound."""
    why: str
    """The problem, or a statement that all rows are sound."""
    head: ChainHead
    """The end of the sound rows; store it elsewhere."""


def append_audit(
    db: Connection,
    at: int,
    who: Operator,
    action: str,
    subject: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> ChainHead:
    """Append a row to the audit, in the transaction of the action that it records.

    `before` and `after` are the values that the action changed, plain and without secrets; None
    when there are none. Returns the new end of the chain.
    """
    end = read_head(db)
    row = {
        "number": end.rows + 1,
        "at": at,
        "who": clean(who.user),
        "origin": clean(who.origin),
        "action": clean(action),
        "subject": clean(subject),
        "before": None if before is None else _canonical_json(before),
        "after": None if after is None else _canonical_json(after),
        "previous": end.hash,
    }
    sealed = _row_hash(row)
    db.execute(_APPEND, row | {"hash": sealed})
    return ChainHead(end.rows + 1, sealed)


def read_head(db: Connection) -> ChainHead:
    """The stored end of the audit's chain; when it is missing, 0 rows and an empty hash."""
    found = db.execute(_HEAD).fetchone()
    return ChainHead(*found) if found else ChainHead(0, "")


def read_last_of_action(db: Connection, action: str) -> tuple[str, int] | None:
    """Subject and time (ms UTC) of the newest audit row with this action; None if there is none."""
    found = db.execute(_LAST, {"action": action}).fetchone()
    return None if found is None else (str(found[0]), int(found[1]))


MOST_COUNTED = 2_000
"""The newest rows of the audit among which actions are counted: reading more takes too long."""


def count_recent(db: Connection, action: str, subject: str, user: str, since: int) -> int:
    """How often a user took an action on a subject after `since` (ms UTC).

    Counts in the newest `MOST_COUNTED` rows.
    """
    asked = {"action": action, "subject": subject, "who": user, "since": since}
    ((count,),) = db.execute(_COUNT, asked | {"limit": MOST_COUNTED}).fetchall()
    return int(count)


class AuditEntry(Struct, frozen=True):
    """One row of the audit; `at` is in ms UTC."""

    number: int
    at: int
    who: str
    origin: str
    action: str
    subject: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def read_entries(db: Connection, first: int, last: int) -> tuple[AuditEntry, ...]:
    """The audit rows from number `first` to `last`, both included, oldest first."""
    rows = db.execute(_SOME, {"first": first, "last": last}).fetchall()
    return tuple(
        AuditEntry(*row[:6], *(None if text is None else json.loads(text) for text in row[6:8]))
        for row in rows
    )


def verify(db: Connection, known: ChainHead | None = None) -> AuditVerification:
    """Read the whole audit and find the first row that is not as it was written.

    With `known`, an earlier head that was stored elsewhere, it is also found when the whole chain
    was replaced.
    """
    end, met = ChainHead(0, _FIRST_PREVIOUS), known is None or known.rows == 0
    for row, sealed in _read_rows(db):
        bad = _bad_row(row, sealed, end)
        if bad:
            return AuditVerification(end.rows, bad[0], bad[1], end)
        end = ChainHead(row["number"], sealed)
        met = met or end == known
    bad = _bad_end(end, read_head(db)) or _bad_past(end, known, met=met)
    first_bad, why = bad or (None, _SOUND)
    return AuditVerification(end.rows, first_bad, why, end)


_SOUND = (
    "every row is as it was written. Only a rewriting of the whole file could hide from this:"
    " compare with a head that was kept elsewhere."
)

_Bad = tuple[int, str] | None


def _bad_row(row: Mapping[str, Any], sealed: str, end: ChainHead) -> _Bad:
    number, expected = row["number"], end.rows + 1
    if number > expected:
        return expected, f"row {expected} is missing"
    if number < expected:
        return number, f"row {number} was inserted before the first"
    if sealed != _row_hash(row):
        return number, f"row {number} was changed after it was written"
    if row["previous"] != end.hash:
        return (
            number,
            f"row {number} does not follow the row before it: one of the two is not genuine",
        )
    return None


def _bad_end(end: ChainHead, head: ChainHead) -> _Bad:
    if head.hash == "":
        return end.rows + 1, "the head is gone, so rows may be missing at the end"
    if head.rows > end.rows:
        return end.rows + 1, f"{head.rows - end.rows} rows are missing at the end"
    if head.rows < end.rows:
        return head.rows + 1, f"row {head.rows + 1} was added past the head"
    if head.hash != end.hash:
        return end.rows, f"row {end.rows} is not the one that the head was written for"
    return None


def _bad_past(end: ChainHead, known: ChainHead | None, *, met: bool) -> _Bad:
    if known is None or met:
        return None
    if known.rows > end.rows:
        return end.rows + 1, f"{known.rows - end.rows} rows are missing that were known elsewhere"
    return known.rows, f"row {known.rows} is not the one known elsewhere: the chain was rewritten"


def _read_rows(db: Connection) -> Iterator[tuple[dict[str, Any], str]]:
    """Each row with its hash; text that is not UTF-8 makes a bad row instead of an error."""
    usual, db.text_factory = db.text_factory, _decode_leniently
    try:
        for *values, sealed in db.execute(_READ):
            yield dict(zip(_COLUMNS, values, strict=True)), sealed
    finally:
        db.text_factory = usual


def _decode_leniently(text: bytes) -> str:
    return text.decode(errors="surrogateescape")


def _row_hash(row: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical_json(row, default=repr).encode()).hexdigest()


def _canonical_json(
    value: Mapping[str, Any], *, default: Callable[[object], str] | None = None
) -> str:
    """The canonical JSON text of a value, without blanks and with sorted keys, for its hash."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=default
    )


GUARDS = (
    "audit_keeps",
    "audit_forgets_nothing",
    "audit_follows",
    "audit_counts",
    "audit_head_moves_on",
    "audit_head_stays",
)
"""The triggers that refuse changes to written rows."""


def missing_guards(db: Connection) -> tuple[str, ...]:
    """The names of the triggers that should protect the audit but are missing; empty if none is."""
    found = {row[0] for row in db.execute("select name from sqlite_master where type = 'trigger'")}
    return tuple(name for name in GUARDS if name not in found)
