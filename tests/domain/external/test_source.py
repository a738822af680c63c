"""When a source is silent, and when its word that an alert is over can be believed."""

from typing import Any

import pytest
from msgspec.structs import replace

from domain.external.payloads import NOW, alert, webhook
from watchdeck.domain.external.alertmanager import read_webhook
from watchdeck.domain.external.event import ExternalEvent
from watchdeck.domain.external.lifecycle import (
    ALIVE_TOLERANCE,
    ResolveContext,
    reason_to_distrust,
)
from watchdeck.domain.external.source import (
    MIN_PROMISE,
    ExternalSource,
    RemoteAlertState,
    SourceProtocol,
    mark_reappeared,
    missing_resolves,
    shift_past_time,
    state_after,
    state_after_push,
)

MINUTE = 60_000
LIST = ExternalSource(
    "eu", SourceProtocol.LIST, 30_000, expected=True, hold=5 * MINUTE, heard_at=NOW
)
POST = ExternalSource("prometheus", SourceProtocol.POST, 150_000, heard_at=NOW)


def event(status: str = "resolved", **changed: Any) -> ExternalEvent:
    told = alert(status=status, endsAt="2026-11-23T05:05:09Z", **changed)
    [one] = read_webhook(webhook(told), "eu", NOW).events
    return one


def last(promise: int | None = None, at: int = NOW, **changed: Any) -> RemoteAlertState:
    return replace(RemoteAlertState("Slow", event().told, promise, "http://p", at=at), **changed)


@pytest.mark.parametrize(
    ("source", "after", "raised", "quiet"),
    [
        pytest.param(LIST, 30_000, [], 0, id="a list within its patience"),
        pytest.param(LIST, 30_001, [], 30_001, id="a list that must always answer"),
        pytest.param(POST, 10 * MINUTE, [], 0, id="who posts says nothing while all is well"),
        pytest.param(POST, 150_001, [last()], 150_001, id="who posts repeats what fires"),
        pytest.param(POST, 9 * MINUTE, [last(lasts=20 * MINUTE)], 0, id="half of what it promised"),
        pytest.param(
            replace(LIST, since=NOW + MINUTE), MINUTE, [], 0, id="we only just began to listen"
        ),
        pytest.param(replace(LIST, retired=True), MINUTE, [], 0, id="nobody asks it any more"),
        pytest.param(replace(LIST, silent_after=0), MINUTE, [], 0, id="it may be silent"),
        pytest.param(replace(POST, lost_at=NOW), MINUTE, [], MINUTE, id="its switch is lost"),
    ],
)
def test_a_source_is_silent_when_it_should_have_spoken(
    source: ExternalSource, after: int, raised: list[RemoteAlertState], quiet: int
) -> None:
    assert source.silent_for(NOW + after, raised) == quiet


@pytest.mark.parametrize(
    ("before", "after", "held"),
    [
        pytest.param(None, 5, 0, id="its start is known for the first time"),
        pytest.param(5, 5, 0, id="it still runs"),
        pytest.param(5, 9, NOW + 5 * MINUTE, id="it started anew"),
        pytest.param(5, None, 0, id="it does not say"),
    ],
)
def test_a_source_that_started_anew_is_held(
    before: int | None, after: int | None, held: int
) -> None:
    source = replace(LIST, started_at=before, problem="x").record_response(NOW, after)
    assert (source.held_until, source.problem) == (held, "")
    assert source.started_at == (before if after is None else after)


def scene(**changed: Any) -> ResolveContext:
    return ResolveContext(NOW, replace(LIST, **changed.pop("source", {})), **changed)


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        pytest.param(scene(), "", id="nothing speaks against it"),
        pytest.param(scene(source={"held_until": NOW + 1}), "eu started anew", id="a restart"),
        pytest.param(scene(silent_for=MINUTE), "eu is silent for 1m", id="a silent source"),
        pytest.param(scene(absent=("TargetDown",)), "TargetDown says", id="no data"),
        pytest.param(scene(is_model_silent=True), "its model says nothing", id="nor have we"),
        pytest.param(scene(last=last(NOW - 1_000)), "fell silent", id="just as promised"),
        pytest.param(scene(last=last(NOW - 999)), "", id="not just as promised"),
        pytest.param(scene(last=last(NOW - 1_000, told=1)), "", id="another start"),
        pytest.param(
            scene(last=last(NOW - 1_000), alive_at=NOW + ALIVE_TOLERANCE),
            "",
            id="its sender lives on",
        ),
        pytest.param(scene(source={"deadman": "Watchdog"}), "Watchdog was not", id="no switch"),
        pytest.param(
            scene(source={"deadman": "Watchdog"}, alive_at=NOW), "", id="the switch came after"
        ),
    ],
)
def test_a_resolve_is_doubted_for_a_reason(seen: ResolveContext, words: str) -> None:
    said = reason_to_distrust(event(), seen)
    assert words in said
    assert bool(said) is bool(words)


def test_what_is_gone_from_a_list_was_resolved_or_lapsed() -> None:
    def promised(ago: int, **changed: Any) -> RemoteAlertState:
        return last(NOW, listed=True, renewed_at=NOW - ago, lasts=4 * MINUTE, **changed)

    before = {
        "young": promised(3 * MINUTE - 2),
        "old": promised(3 * MINUTE),
        "none": last(listed=True, told=0),
        "not in it": last(NOW),
        event().fingerprint: promised(9 * MINUTE),
    }
    gone = missing_resolves("eu", before, [event()], NOW + 1)
    assert [(one.fingerprint, one.lapsed, one.ends_at) for one in gone] == [
        ("young", False, NOW + 1),
        ("old", True, NOW),
        ("none", False, NOW + 1),
    ]


def test_an_alert_that_comes_back_to_a_list_says_something_new() -> None:
    fires = event("firing")
    assert mark_reappeared(fires, None) == mark_reappeared(fires, last(listed=True)) == fires
    assert mark_reappeared(fires, last(listed=False)).key != fires.key


def said(ends: int, at: int = NOW, updated: int | None = None, **changed: Any) -> ExternalEvent:
    fires = event("firing", **changed)
    return replace(fires, ends_at=ends, received_at=at, updated_at=updated)


def test_a_promise_is_as_long_as_its_own_clock_says() -> None:
    ahead = NOW + 60 * MINUTE
    listed = said(ahead + 4 * MINUTE, updated=ahead)
    assert state_after(listed, None, listed=True).lasts == 4 * MINUTE
    old = state_after(said(NOW + MINUTE, updated=NOW - 3 * MINUTE), None, listed=True)
    assert old.renewed_at == NOW - 3 * MINUTE
    first = state_after(said(ahead + 4 * MINUTE), None, listed=False)
    assert first.lasts == 64 * MINUTE
    second = state_after(said(ahead + 5 * MINUTE, NOW + MINUTE), first, listed=False)
    assert (second.lasts, second.renewed_at) == (4 * MINUTE, NOW + MINUTE)
    same = state_after(said(ahead + 5 * MINUTE, NOW + 2 * MINUTE), second, listed=False)
    assert (same.lasts, same.renewed_at, same.at) == (4 * MINUTE, NOW + MINUTE, NOW + 2 * MINUTE)
    behind = state_after(said(NOW - 60 * MINUTE), None, listed=False)
    assert (behind.lasts, behind.promise_duration) == (0, MIN_PROMISE)


def test_a_webhook_leaves_what_a_list_said_and_a_new_start_does_not() -> None:
    listed = state_after(said(NOW + 4 * MINUTE, updated=NOW), None, listed=True)
    hooked = replace(event("firing"), ends_at=None, received_at=NOW + MINUTE)
    assert state_after_push(hooked, listed) == replace(listed, at=NOW + MINUTE)
    anew = replace(hooked, told=hooked.told + 1)
    assert (state_after_push(anew, listed).promise, state_after_push(anew, listed).listed) == (
        None,
        True,
    )
    assert state_after_push(hooked, None).listed is False


@pytest.mark.parametrize(
    ("at", "jump", "after"),
    [
        pytest.param(NOW - 61 * MINUTE, 60 * MINUTE, NOW - MINUTE, id="forward, from before"),
        pytest.param(NOW - MINUTE, 60 * MINUTE, NOW - MINUTE, id="forward, from after"),
        pytest.param(NOW + 59 * MINUTE, -60 * MINUTE, NOW - MINUTE, id="back, from before"),
        pytest.param(NOW - MINUTE, -60 * MINUTE, NOW - MINUTE, id="back, from after"),
    ],
)
def test_a_moment_is_as_long_ago_after_the_clock_jumped(at: int, jump: int, after: int) -> None:
    assert shift_past_time(at, jump, NOW) == after
    assert last(at=at, renewed_at=at).shift_times(jump, NOW).renewed_at == after
    shifted = replace(LIST, heard_at=at, lost_at=at, held_until=at).shift_times(jump, NOW)
    assert (shifted.heard_at, shifted.lost_at, shifted.held_until) == (after, after, at + jump)
