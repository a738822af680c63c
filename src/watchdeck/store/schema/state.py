"""What state.db is made of: few rows, all precious.

Portable SQL: the tables, not the triggers, are what a second engine would take as they are. Every
row that people change has a `rev` for compare-and-set.
"""

from __future__ import annotations

from watchdeck.store.schema.alerts import ALERT_TABLES
from watchdeck.store.schema.step import MigrationStep

_FIRST = """
create table health_change (
    endpoint text not null,
    at integer not null,
    health text not null,
    cause text not null,
    why text not null,
    since integer,
    primary key (endpoint, at)
) strict;

create table health (
    endpoint text primary key not null,
    at integer not null,
    health text not null,
    cause text not null,
    why text not null,
    since integer
) strict;

create table change (
    id integer primary key not null,
    endpoint text not null,
    at integer not null,
    what text not null,
    text text not null,
    source text not null,
    rev integer not null default 1
) strict;

create index change_at on change (at, id);

create table identity (
    endpoint text primary key not null,
    at integer not null,
    version text,
    started_at integer,
    replicas integer,
    resets integer not null
) strict;

create table audit (
    number integer primary key not null,
    at integer not null,
    who text not null,
    origin text not null,
    action text not null,
    subject text not null,
    before text,
    after text,
    previous text not null,
    hash text not null
) strict;

create table audit_head (
    id integer primary key not null check (id = 1),
    rows integer not null,
    hash text not null
) strict;

insert into audit_head (id, rows, hash)
values (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

create trigger audit_keeps before update on audit
begin
    select raise(abort, 'the audit is append-only');
end;

create trigger audit_forgets_nothing before delete on audit
begin
    select raise(abort, 'the audit is append-only');
end;

create trigger audit_follows before insert on audit
when not exists (
    select 1 from audit_head where rows = new.number - 1 and hash = new.previous
)
begin
    select raise(abort, 'the audit is append-only');
end;

create trigger audit_counts after insert on audit
begin
    update audit_head set rows = new.number, hash = new.hash where id = 1;
end;

create trigger audit_head_moves_on before update on audit_head
when not exists (select 1 from audit where number = old.rows + 1 and number = new.rows
                 and previous = old.hash and hash = new.hash)
begin
    select raise(abort, 'the audit is append-only');
end;

create trigger audit_head_stays before delete on audit_head
begin
    select raise(abort, 'the audit is append-only');
end;
"""

MIGRATIONS: tuple[MigrationStep, ...] = (_FIRST, ALERT_TABLES)
"""The versions of state.db, oldest first; a step that was released is never changed."""
