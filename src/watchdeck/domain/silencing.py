"""Silencing: what a silence must say before it holds, and how it ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from watchdeck.domain.alert import Silence
from watchdeck.domain.handling import Refusal, bounded
from watchdeck.domain.matcher import Matcher


def silence(
    matchers: Iterable[Matcher],
    who: str,
    reason: str,
    now: int,
    ends_at: int | None,
    *,
    until_resolved: bool = False,
) -> Silence | Refusal:
    """A silence from `now` to `ends_at` (ms UTC), or why there is none.

    It says whom it means, why, and until when, a week at most; nobody can silence everything.
    """
    wanted = tuple(matchers)
    if all(matcher.everything or matcher.negated for matcher in wanted):
        return Refusal("it would hide nearly every alert; say which, such as model=fraud")
    if not reason.strip():
        return Refusal("a silence needs a reason")
    if ends_at is None:
        return Refusal("a silence needs an end, such as 2h")
    if refusal := bounded("a silence", now, ends_at):
        return refusal
    return Silence(0, wanted, who, reason.strip(), now, ends_at, until_resolved=until_resolved)


def unsilence(one: Silence, now: int) -> Silence | Refusal:
    """The silence ended before its time."""
    if one.ended_at is not None or one.ends_at <= now:
        return Refusal("it is over")
    return replace(one, ended_at=now)
