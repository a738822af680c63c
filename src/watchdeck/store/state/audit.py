"""The audit: who did what, append-only, each row chained to the one before by its hash.

Found out: an edited, deleted, inserted or reordered row, and a shortened end. Not found out by the
file alone: a person who may write it and rewrites the whole chain with its head. Against that, keep
a head (its count and hash) elsewhere and hand it to `verify`.
"""

from __future__ import annotations

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

_SOME = f"select {', '.join(_COLUMNS)} from audit where number between :first and :last order by 1"

_NOTHING = "0" * 64
"""What the first row is chained to."""


class ChainHead(Struct, frozen=True):
    """The end of a chain: how many rows, and the hash of the last."""

    rows: int
    hash: str

    def __str__(self) -> str:
        return f"{self.rows}:{self.hash}"


class Verified(Struct, frozen=True):
    """What came of reading the whole chain; `first_bad` is the number of the first bad row.

    `rows` are the sound ones before it, and `head` is their end: note it down elsewhere.
    """

    rows: int
    first_bad: int | None
    why: str
    head: ChainHead


def append(
    db: Connection,
    at: int,
    who: Operator,
    action: str,
    subject: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> ChainHead:
    """Add a row, inside the transaction of the caller, so that deed and record are one.

    `before` and `after` are what the deed changed, as plain values; no secret belongs there.
    """
    end = read_head(db)
    row = {
        "number": end.rows + 1,
        "at": at,
        "who": clean(who.user),
        "origin": clean(who.origin),
        "action": clean(action),
        "subject": clean(subject),
        "before": None if before is None else _canonical(before),
        "after": None if after is None else _canonical(after),
        "previous": end.hash,
    }
    sealed = _seal(row)
    db.execute(_APPEND, row | {"hash": sealed})
    return ChainHead(end.rows + 1, sealed)


def read_head(db: Connection) -> ChainHead:
    """The end of the chain as the file says it."""
    found = db.execute(_HEAD).fetchone()
    return ChainHead(*found) if found else ChainHead(0, "")


def last_of_action(db: Connection, action: str) -> tuple[str, int] | None:
    """The subject and time of the newest deed of one kind; None when there was none."""
    found = db.execute(_LAST, {"action": action}).fetchone()
    return None if found is None else (str(found[0]), int(found[1]))


class AuditEntry(Struct, frozen=True):
    """One row of the audit, as it was entered; `at` in ms UTC."""

    number: int
    at: int
    who: str
    origin: str
    action: str
    subject: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def read_entries(db: Connection, first: int, last: int) -> tuple[AuditEntry, ...]:
    """The rows of these numbers, both included, the oldest first."""
    rows = db.execute(_SOME, {"first": first, "last": last}).fetchall()
    return tuple(
        AuditEntry(*row[:6], *(None if text is None else json.loads(text) for text in row[6:8]))
        for row in rows
    )


def verify(db: Connection, known: ChainHead | None = None) -> Verified:
    """Read the whole chain, and name the first row that is not as it was written.

    `known` is a head that was kept elsewhere: it finds out a chain that was rewritten whole.
    """
    end, met = ChainHead(0, _NOTHING), known is None or known.rows == 0
    for row, sealed in _rows(db):
        bad = _bad_row(row, sealed, end)
        if bad:
            return Verified(end.rows, bad[0], bad[1], end)
        end = ChainHead(row["number"], sealed)
        met = met or end == known
    bad = _bad_end(end, read_head(db)) or _bad_past(end, known, met=met)
    first_bad, why = bad or (None, _SOUND)
    return Verified(end.rows, first_bad, why, end)


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
        return number, f"row {number} was put in before the first"
    if sealed != _seal(row):
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


def _rows(db: Connection) -> Iterator[tuple[dict[str, Any], str]]:
    """Each row and its hash; text that is not UTF-8 is a bad row, not the end of reading."""
    usual, db.text_factory = db.text_factory, _lenient
    try:
        for *values, sealed in db.execute(_READ):
            yield dict(zip(_COLUMNS, values, strict=True)), sealed
    finally:
        db.text_factory = usual


def _lenient(text: bytes) -> str:
    return text.decode(errors="surrogateescape")


def _seal(row: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(row, default=repr).encode()).hexdigest()


def _canonical(value: Mapping[str, Any], *, default: Callable[[object], str] | None = None) -> str:
    """The one text of a value: what the hash is made of must not depend on anything else."""
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
"""The triggers that refuse to change what was written."""


def missing_guards(db: Connection) -> tuple[str, ...]:
    """The guards that somebody took away."""
    found = {row[0] for row in db.execute("select name from sqlite_master where type = 'trigger'")}
    return tuple(name for name in GUARDS if name not in found)
