"""Silence alerts by their labels, and pin what is known already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from watchdeck.actions.transaction import ActionResult, AlertError, action_transaction
from watchdeck.domain.alerts.acknowledgement import Refusal, check_duration
from watchdeck.domain.alerts.alert import KnownIssue
from watchdeck.domain.alerts.muting import matched_alerts
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.alerts.silence import silence as decide
from watchdeck.domain.alerts.silence import unsilence as decide_unsilence
from watchdeck.domain.values.format import format_duration
from watchdeck.domain.values.matcher import Matcher
from watchdeck.domain.values.operator import Operator
from watchdeck.domain.values.text import clean
from watchdeck.store.alerts.acknowledgements import (
    end_pin,
    end_silence,
    read_silence,
    save_pin,
    save_silence,
)
from watchdeck.store.alerts.active import read_active_alerts
from watchdeck.store.files.directory import StoreDirectory

LONGEST_REASON = 300
"""Characters of a reason, and of a known issue: they are read on one line."""


def silence(
    directory: StoreDirectory,
    matchers: Sequence[Matcher],
    who: Operator,
    now: int,
    *,
    reason: str,
    ends_at: int | None,
    until_resolved: bool = False,
) -> ActionResult:
    """Have nobody told of alerts whose labels match, until `ends_at` (ms UTC).

    Raises AlertError for a silence without reason or end, one that is too long, or one of all.
    """
    text = clean(reason.strip(), LONGEST_REASON)
    wanted = decide(matchers, who.user, text, now, ends_at, until_resolved=until_resolved)
    if isinstance(wanted, Refusal):
        raise AlertError(f"{wanted.why}.")
    with action_transaction(directory, who, now) as doing:
        kept = save_silence(doing.db, wanted)
        doing.taken.append(kept.id)
        doing.enter("silence.created", subject(kept), None, as_row(kept))
        hidden = [
            one
            for one in matched_alerts(matchers, read_active_alerts(doing.db, None, now))
            if one.episode.is_open
        ]
        count = f"{len(hidden)} open alert{'' if len(hidden) == 1 else 's'}"
        return doing.done(
            f"silence {kept.id} hides {count} for {format_duration(kept.ends_at - now)}"
        )


def unsilence(directory: StoreDirectory, number: int, who: Operator, now: int) -> ActionResult:
    """End a silence before its time."""
    with action_transaction(directory, who, now) as doing:
        found = read_silence(doing.db, number)
        if found is None:
            raise AlertError(f"there is no silence {number}.")
        ended = decide_unsilence(found, now)
        if isinstance(ended, Refusal) or not end_silence(doing.db, found, now):
            why = ended.why if isinstance(ended, Refusal) else "it was just ended"
            raise AlertError(f"silence {number}: {why}.")
        doing.taken.append(number)
        doing.enter("silence.ended", subject(found), as_row(found), as_row(ended))
        return doing.done(f"silence {number} is over")


def subject(found: Silence) -> str:
    """What the audit calls a silence."""
    return f"silence {found.id}: {' '.join(map(str, found.matchers))}"


def as_row(found: Silence) -> dict[str, Any]:
    """What the audit keeps of a silence."""
    return {
        "id": found.id,
        "matchers": [str(matcher) for matcher in found.matchers],
        "reason": found.reason,
        "starts_at": found.starts_at,
        "ends_at": found.ends_at,
        "rev": found.rev + (found.ended_at is not None),
    }


def pin(
    directory: StoreDirectory,
    about: tuple[str, str],
    who: Operator,
    now: int,
    *,
    text: str,
    expires_at: int,
) -> ActionResult:
    """Pin a known issue on a model, a rule or both, as `about` names them; one may be empty.

    It is the first line of their alerts until `expires_at` (ms UTC). Raises AlertError.
    """
    words, (model, rule) = clean(text.strip(), LONGEST_REASON), about
    refusal = check_duration("a known issue", now, expires_at)
    if not words or not (model or rule) or refusal:
        why = refusal.why if refusal else "a known issue is about a model or a rule, and says what"
        raise AlertError(f"{why}.")
    with action_transaction(directory, who, now) as doing:
        kept = save_pin(doing.db, KnownIssue(0, model, rule, words, who.user, now, expires_at))
        doing.taken.append(kept.id)
        after = {"id": kept.id, "model": model, "rule": rule, "text": words}
        doing.enter("pin.set", f"known issue {kept.id}", None, after | {"expires_at": expires_at})
        return doing.done(f"known issue {kept.id} is shown for {format_duration(expires_at - now)}")


def unpin(directory: StoreDirectory, number: int, who: Operator, now: int) -> ActionResult:
    """Take a known issue away. Raises AlertError when there is none."""
    with action_transaction(directory, who, now) as doing:
        if not end_pin(doing.db, number, now):
            raise AlertError(f"there is no known issue {number}.")
        doing.taken.append(number)
        doing.enter("pin.ended", f"known issue {number}", {"id": number}, None)
        return doing.done(f"known issue {number} is gone")
