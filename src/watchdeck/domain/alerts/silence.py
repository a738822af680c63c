"""Silencing: what a silence must say before it holds, and how it ends."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.alerts.acknowledgement import Refusal, check_duration
from watchdeck.domain.values.matcher import Matcher


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
    if refusal := check_duration("a silence", now, ends_at):
        return refusal
    return Silence(0, wanted, who, reason.strip(), now, ends_at, until_resolved=until_resolved)


def unsilence(one: Silence, now: int) -> Silence | Refusal:
    """The silence ended before its time."""
    if one.ended_at is not None or one.ends_at <= now:
        return Refusal("it is over")
    return replace(one, ended_at=now)


class Silence(Struct, frozen=True):
    """Who wants not to be told of what, why, and until when; it mutes and never resolves.

    `names_severity` tells that a matcher is about the severity: only then does a rise stay muted.
    """

    id: int
    matchers: tuple[Matcher, ...]
    by: str
    reason: str
    starts_at: int
    ends_at: int
    ended_at: int | None = None
    until_resolved: bool = False
    rev: int = 1

    @property
    def names_severity(self) -> bool:
        """Whether it says itself which severities it is about."""
        return any(matcher.label == "severity" for matcher in self.matchers)

    def holds_at(self, now: int) -> bool:
        """Whether it is in force at `now` (ms UTC)."""
        end = self.ends_at if self.ended_at is None else min(self.ends_at, self.ended_at)
        return self.starts_at <= now < end
