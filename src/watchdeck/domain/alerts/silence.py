"""Silences: created by operators with matchers, a reason and an end."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.alerts.acknowledgement import Refusal, check_duration
from watchdeck.domain.alerts.silence_scope import NOTHING_KNOWN, KnownAlerts, scope_refusal
from watchdeck.domain.values.matcher import Matcher


def silence(
    matchers: Iterable[Matcher],
    who: str,
    reason: str,
    now: int,
    ends_at: int | None,
    *,
    until_resolved: bool = False,
    known: KnownAlerts = NOTHING_KNOWN,
) -> Silence | Refusal:
    """Create a silence from `now` to `ends_at` (ms UTC), or refuse it.

    Required: a reason, an end within a week, and matchers that do not match nearly all of `known`.
    """
    given = tuple(matchers)
    if why := scope_refusal(given, known):
        return Refusal(why)
    if not reason.strip():
        return Refusal("a silence needs a reason")
    if ends_at is None:
        return Refusal("a silence needs an end, such as 2h")
    if refusal := check_duration("a silence", now, ends_at):
        return refusal
    return Silence(0, given, who, reason.strip(), now, ends_at, until_resolved=until_resolved)


def unsilence(current: Silence, now: int) -> Silence | Refusal:
    """End a silence early; refused when it is over."""
    if current.ended_at is not None or current.ends_at <= now:
        return Refusal("it is over")
    return replace(current, ended_at=now)


class Silence(Struct, frozen=True):
    """Mutes the alerts that all matchers select, from `starts_at` until `ends_at` (ms UTC)."""

    id: int
    matchers: tuple[Matcher, ...]
    by: str
    reason: str
    starts_at: int
    ends_at: int
    ended_at: int | None = None
    until_resolved: bool = False
    """Whether the silence also ends when the last alert that it matches resolves."""
    rev: int = 1

    @property
    def has_severity_matcher(self) -> bool:
        """Whether a matcher names the severity.

        With one, an alert that becomes more severe stays muted while the matchers match; without
        one, it is no longer muted.
        """
        return any(matcher.label == "severity" for matcher in self.matchers)

    def is_active_at(self, now: int) -> bool:
        """Whether the silence mutes at `now` (ms UTC)."""
        end = self.ends_at if self.ended_at is None else min(self.ends_at, self.ended_at)
        return self.starts_at <= now < end


def undo_unsilence(ended: Silence, now: int) -> Silence | Refusal:
    """Undo `unsilence`: a new row with the original end; refused when that end has passed."""
    if ended.ends_at <= now:
        return Refusal("its time is over")
    return replace(ended, id=0, starts_at=now, ended_at=None, rev=1)
