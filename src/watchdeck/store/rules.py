"""The rules and maintenance windows in force, as consoles find them: a collector writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from sqlite3 import Connection
from typing import Any, Literal

Table = Literal["rule", "maintenance"]

_KEEP = """
insert into {table} (name, facts, at, retired_at) values (:name, :facts, :at, null)
on conflict (name) do update set facts = excluded.facts, at = excluded.at, retired_at = null
"""
_RETIRE = "update {table} set retired_at = :at where retired_at is null and name = :name"
_READ = "select name, facts from {table} where retired_at is null order by name"

Facts = Mapping[str, Any]
"""What is known of a rule or a window, as plain values; no secret belongs there."""


def register(db: Connection, table: Table, found: Iterable[tuple[str, Facts]], at: int) -> None:
    """Make these the ones in force, inside the caller's transaction; others are retired."""
    wanted = {name: json.dumps(facts, sort_keys=True) for name, facts in found}
    known = {name: json.dumps(facts, sort_keys=True) for name, facts in read(db, table)}
    for name in known.keys() - wanted.keys():
        db.execute(_RETIRE.format(table=table), {"name": name, "at": at})
    for name, facts in wanted.items():
        if known.get(name) != facts:
            db.execute(_KEEP.format(table=table), {"name": name, "facts": facts, "at": at})


def read(db: Connection, table: Table) -> tuple[tuple[str, Facts], ...]:
    """What is in force, by name."""
    rows = db.execute(_READ.format(table=table)).fetchall()
    return tuple((name, json.loads(facts)) for name, facts in rows)
