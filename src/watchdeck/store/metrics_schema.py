"""The tables of metrics.db, step by step."""

from __future__ import annotations

from watchdeck.store.schema import Step

_FIRST = """
create table endpoint (
    id integer primary key,
    name text not null unique,
    facts text not null,
    retired_at integer
) strict;

create table layout (
    id integer primary key,
    digest blob not null unique,
    columns text not null
) strict;

create table frame (
    k integer primary key,
    layout integer not null references layout (id),
    v blob not null
) strict;

create table latest (
    endpoint integer primary key references endpoint (id),
    at integer not null,
    outcome text not null,
    detail text not null,
    failures integer not null,
    kind text,
    model_state text not null,
    model_detail text not null,
    version text,
    started_at integer,
    replicas integer,
    resets integer not null,
    cut_series integer not null,
    cut_labels integer not null,
    cut_duplicates integer not null,
    cut_malformed integer not null,
    not_measurable text not null,
    layout integer not null references layout (id),
    v blob not null
) strict;

create table heartbeat (
    one integer primary key check (one = 1),
    beat text not null
) strict;
"""

MIGRATIONS: tuple[Step, ...] = (_FIRST,)
"""Each entry takes the file one version further; an entry that was released never changes."""
