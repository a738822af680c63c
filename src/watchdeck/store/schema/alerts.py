"""What state.db gained with alerts: rules, episodes, who has them, what is told to whom."""

from __future__ import annotations

ALERT_TABLES = """
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
"""`bound` is an episode's limit. `fold` names the message that rows become together, `lane` the
key in whose order they are sent. `event_in` is idempotent by its key. `memory` is what a part of
the collector must still know after a restart, such as how far it has read somewhere."""
