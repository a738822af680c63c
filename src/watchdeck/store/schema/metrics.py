"""The tables of metrics.db: scrapes, and what is computed from them."""

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
    columns text not null,
    cumulative blob not null
) strict;

create table frame (
    k integer primary key,
    layout integer not null,
    v blob not null
) strict;

create table segment (
    id integer primary key,
    endpoint integer not null,
    stream integer not null,
    level integer not null,
    layout integer not null,
    first integer not null,
    last integer not null,
    count integer not null,
    b blob not null
) strict;

create unique index segment_of_endpoint on segment (endpoint, stream, first, level, layout);
create index segment_of_age on segment (stream, first);
create index segment_of_hour on segment (endpoint, first) where level = 0;

create table rollup (
    id integer primary key,
    endpoint integer not null,
    stream integer not null,
    period integer not null,
    layout integer not null,
    field integer not null,
    count integer not null,
    b blob not null
) strict;

create unique index rollup_of_endpoint on rollup (endpoint, stream, period, layout, field);
create index rollup_of_age on rollup (period);

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
    layout integer not null,
    v blob not null
) strict;

create table exchange (
    id integer primary key,
    endpoint integer not null references endpoint (id),
    asked text not null,
    at integer not null,
    status integer,
    headers text not null,
    body text not null
) strict;

create index exchange_of_endpoint on exchange (endpoint);

create table heartbeat (
    one integer primary key check (one = 1),
    beat text not null
) strict;
"""

_REMARKS = """
alter table latest add column cut_stale integer not null default 0;
alter table latest add column cut_out_of_range integer not null default 0;
alter table latest add column server_version text;
alter table latest add column certificate text;
alter table latest add column host text;
alter table latest add column remarks text not null default '';
alter table latest add column server_wide text not null default '';
alter table latest add column resources text not null default '';
alter table latest add column expected text not null default '';
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _REMARKS)
"""One step for each version of metrics.db, oldest first; a released step never changes."""
