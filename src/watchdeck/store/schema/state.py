"""The tables of state.db: few rows, none of which may be lost.

The tables, not the triggers, are portable SQL that a second database engine would accept. Every row
that people change has a `rev` for compare-and-set.
"""

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

_ALERTS = """
create table rule (
    name text primary key not null,
    facts text not null,
    at integer not null,
    retired_at integer
) strict;

create table maintenance (
    name text primary key not null,
    facts text not null,
    at integer not null,
    retired_at integer
) strict;

create table alert (
    id integer primary key not null,
    source text not null,
    fingerprint text not null,
    rule text not null,
    model text not null,
    labels text not null,
    unique (source, fingerprint)
) strict;

create index alert_rule on alert (rule, id);

create table episode (
    id integer primary key not null,
    alert integer not null references alert (id),
    started_at integer not null,
    condition text not null,
    severity integer not null,
    peak_severity integer not null,
    data text not null,
    value real,
    peak real,
    bound real,
    why text not null,
    observed integer not null,
    false_for integer not null,
    samples integer not null,
    seen_at integer not null,
    fired_at integer,
    ended_at integer,
    end_reason text,
    reopened integer not null,
    flapping integer not null,
    recent integer not null,
    truth integer not null,
    paged_at integer,
    escalated integer not null,
    worse_at integer,
    flapped_at integer,
    rev integer not null
) strict;

create unique index episode_open on episode (alert) where ended_at is null;
create index episode_alert on episode (alert, id);
create index episode_ended on episode (ended_at, id);
create index episode_started on episode (started_at, id);

create table transition (
    episode integer not null references episode (id),
    number integer not null,
    at integer not null,
    verb text not null,
    condition text not null,
    data text not null,
    severity integer not null,
    flapping integer not null,
    value real,
    why text not null,
    primary key (episode, number)
) strict;

create index transition_at on transition (at, episode, number);

create table acknowledgement (
    id integer primary key not null,
    episode integer not null references episode (id),
    by text not null,
    at integer not null,
    expires_at integer not null,
    severity integer not null,
    note text not null,
    ended_at integer,
    end_reason text,
    rev integer not null
) strict;

create unique index acknowledgement_live on acknowledgement (episode) where ended_at is null;
create index acknowledgement_episode on acknowledgement (episode, id);

create table note (
    id integer primary key not null,
    episode integer not null references episode (id),
    at integer not null,
    by text not null,
    text text not null
) strict;

create index note_episode on note (episode, id);

create table silence (
    id integer primary key not null,
    matchers text not null,
    by text not null,
    reason text not null check (reason <> ''),
    starts_at integer not null,
    ends_at integer not null,
    ended_at integer,
    until_resolved integer not null,
    rev integer not null
) strict;

create index silence_end on silence (ends_at, id);

create table pin (
    id integer primary key not null,
    model text not null,
    rule text not null,
    text text not null,
    by text not null,
    at integer not null,
    expires_at integer not null,
    ended_at integer,
    rev integer not null
) strict;

create table opinion (
    episode integer primary key not null references episode (id),
    opinion text not null,
    by text not null,
    at integer not null
) strict;

create table outbox (
    id integer primary key not null,
    channel text not null,
    kind text not null,
    episode integer references episode (id),
    payload text not null,
    dedup_key text not null,
    fold text not null,
    lane text not null,
    created_at integer not null,
    not_before integer not null,
    attempts integer not null,
    sent_at integer,
    gave_up_at integer,
    cancelled_at integer,
    last_error text not null,
    unique (channel, dedup_key)
) strict;

create index outbox_due on outbox (not_before, id)
where sent_at is null and gave_up_at is null and cancelled_at is null;
create index outbox_episode on outbox (episode, id);
create index outbox_fold on outbox (fold, id);

create table event_in (
    source text not null,
    event_key text not null,
    received_at integer not null,
    payload text not null,
    judged_at integer,
    primary key (source, event_key)
) strict;

create index event_in_unjudged on event_in (received_at, source, event_key)
where judged_at is null;

create table source (
    name text primary key not null,
    heard_at integer not null,
    started_at integer,
    facts text not null
) strict;

create table memory (
    holder text not null,
    key text not null,
    value text not null,
    at integer not null,
    primary key (holder, key)
) strict;
"""
"""`bound` is an episode's limit. `fold` is the group of rows that become one message; rows of one
`lane` are sent in order. `event_in` is idempotent by its key. `memory` holds what a part of the
collector must still know after a restart, such as its position in a source."""

_IDENTITY = """
alter table identity add column server_version text;
alter table identity add column certificate text;
alter table identity add column host text;
alter table identity add column start_seen_at integer not null default 0;
alter table identity add column restarted_at integer not null default 0;
alter table identity add column known_values text not null default '{}';
"""

_BUDGETS = """
create table budget (
    endpoint text not null,
    signal text not null,
    at integer not null,
    state blob not null,
    primary key (endpoint, signal)
) strict;
"""

_FIRINGS = """
alter table episode add column firings text not null default '[]';
alter table episode add column muted_at integer;
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _ALERTS, _IDENTITY, _BUDGETS, _FIRINGS)
"""One step for each version of state.db, oldest first; a released step never changes."""
