"""The rules and the maintenance in force: the collector writes them, consoles read them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from sqlite3 import Connection
from typing import TYPE_CHECKING, Any, Literal

from watchdeck.domain.alerts.maintenance import Maintenance, Recurrence
from watchdeck.domain.alerts.silence_scope import RuleScope
from watchdeck.domain.values.matcher import Matcher, MatcherError, read_matcher
from watchdeck.domain.values.units import to_plain

if TYPE_CHECKING:
    from watchdeck.domain.rules.rule import Rule

RuleTable = Literal["rule", "maintenance"]

StoredRule = Mapping[str, Any]
"""A rule as plain values, without secrets."""

_SAVE = """
insert into {table} (name, facts, at, retired_at) values (:name, :facts, :at, null)
on conflict (name) do update set facts = excluded.facts, at = excluded.at, retired_at = null
"""
_RETIRE = "update {table} set retired_at = :at where retired_at is null and name = :name"
_READ = "select name, facts from {table} where retired_at is null order by name"


def save_rules(db: Connection, rules: Iterable[Rule], at: int) -> None:
    """Store the rules in force; all others are retired at `at` (ms UTC).

    Runs in the caller's transaction.
    """
    _save(db, "rule", {rule.name: _rule_facts(rule) for rule in rules}, at)


def save_maintenance(db: Connection, works: Iterable[Maintenance], at: int) -> None:
    """Store the maintenance in force; all other is retired at `at` (ms UTC).

    Runs in the caller's transaction.
    """
    _save(db, "maintenance", {work.name: _maintenance_facts(work) for work in works}, at)


def read_rules(db: Connection) -> dict[str, StoredRule]:
    """The settings of the rules in force, by rule name.

    The settings are as configured, with `tells_of_trouble` added: true when an alert of the rule
    mutes the other alerts of its model.
    """
    return {
        name: _parse_rule(text) for name, text in db.execute(_READ.format(table="rule")).fetchall()
    }


def read_rule_scopes(db: Connection) -> tuple[RuleScope, ...]:
    """The enabled rules in force as silences see them."""
    rules = read_rules(db).items()
    return tuple(_rule_scope(name, rule) for name, rule in rules if rule["enabled"])


def _rule_scope(name: str, rule: StoredRule) -> RuleScope:
    """The scope of a stored rule; matchers of another version may not be readable, and are open."""
    known = {"rule": name, "family": rule["family"], "playbook": rule["playbook"]}
    labels = {**rule["labels"], **{key: value for key, value in known.items() if value}}
    with suppress(MatcherError):
        return RuleScope(labels, tuple(map(read_matcher, rule["match"])))
    return RuleScope(labels)


def read_maintenance(db: Connection) -> tuple[Maintenance, ...]:
    """The maintenance in force, sorted by name."""
    rows = db.execute(_READ.format(table="maintenance")).fetchall()
    return tuple(_parse_maintenance(text) for _, text in rows)


def _rule_facts(rule: Rule) -> dict[str, Any]:
    from watchdeck.domain.rules.rule import (  # a console reads rules and never writes one
        Absent,
        FailedScrapes,
    )

    known = to_plain(rule)
    del known["test"]
    return known | {
        "match": [str(matcher) for matcher in rule.match],
        "tells_of_trouble": isinstance(rule.test, Absent | FailedScrapes),
    }


def _maintenance_facts(work: Maintenance) -> dict[str, Any]:
    facts = to_plain(work)
    if facts["recurrence"] is not None:
        facts["recurrence"]["lasts"] = facts["recurrence"].pop("duration")
    return facts


def _save(db: Connection, table: RuleTable, wanted: Mapping[str, StoredRule], at: int) -> None:
    texts = {name: json.dumps(facts, sort_keys=True) for name, facts in wanted.items()}
    known = dict(db.execute(_READ.format(table=table)).fetchall())
    for name in known.keys() - texts.keys():
        db.execute(_RETIRE.format(table=table), {"name": name, "at": at})
    for name, text in texts.items():
        if known.get(name) != text:
            db.execute(_SAVE.format(table=table), {"name": name, "facts": text, "at": at})


@lru_cache(maxsize=1_000)
def _parse_rule(text: str) -> StoredRule:
    """Parse the settings of a rule; cached, because every board reads rules that rarely change."""
    facts: StoredRule = json.loads(text)
    return facts


@lru_cache(maxsize=1_000)
def _parse_maintenance(text: str) -> Maintenance:
    known = json.loads(text)
    again = known["recurrence"]
    if again is not None:
        again = Recurrence(
            again["minute"], again["lasts"], tuple(again["days"]), tuple(again["weeks"])
        )
    matchers = tuple(Matcher(**matcher) for matcher in known["matchers"])
    return Maintenance(**known | {"matchers": matchers, "recurrence": again})
