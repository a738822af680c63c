import pytest
from msgspec.structs import replace

from domain.alerts.lives import START, Life, short
from watchdeck.domain.alerts.alert import AlertState, DataState, EndReason, Episode, Transition
from watchdeck.domain.alerts.lifecycle import REOPEN_WINDOW, end_episode, mark_no_data
from watchdeck.domain.external.event import ExternalEvent, Status
from watchdeck.domain.external.lifecycle import (
    EARLY_RESOLVE_WINDOW,
    HELD_RESOLVE_RELEASE,
    advance_time,
    apply_event,
    is_resolve_of,
)
from watchdeck.domain.rules.rule import Severity

MINUTE = 60_000


def said(
    status: str, starts: int = 0, at: int = 0, severity: Severity = Severity.HIGH
) -> ExternalEvent:
    """An event; both times in minutes since the beginning."""
    return ExternalEvent(
        "key", "alertmanager", "ab12", "HighErrorRate", "fraud", severity, Status(status),
        START + at * MINUTE, START + starts * MINUTE, annotations={"summary": "too many errors"},
    )  # fmt: skip


class Heard(Life):
    """What a source said of one alert, in the order in which it came."""

    def hear(self, event: ExternalEvent, doubt: str = "") -> "Heard":
        self.keep(*apply_event(self.episode, event, self.previous, doubt=doubt))
        return self

    def settle(self, at: int, doubt: str = "") -> "Heard":
        self.keep(*advance_time(self.open, START + at * MINUTE, doubt=doubt))
        return self


def heard(*events: ExternalEvent) -> Heard:
    life = Heard()
    for event in events:
        life.hear(event)
    return life


def verbs(steps: tuple[Transition, ...]) -> list[str]:
    return [short(one) for one in steps]


def test_a_claim_fires_at_once_since_the_start_that_it_claims() -> None:
    life = heard(said("firing", 2, 5))
    assert life.verbs == ["fired"]
    assert life.open.started_at == START + 2 * MINUTE
    assert life.steps[0].at == START + 5 * MINUTE


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([said("resolved")], [], id="a resolve of nothing is nothing"),
        pytest.param(
            [said("firing"), said("resolved", 0, 3)], ["fired", "clearing", "resolved"],
            id="A15: a live source's resolve ends it",
        ),
        pytest.param(
            [said("firing"), said("firing", 0, 3)], ["fired"], id="the same again is only heard"
        ),
        pytest.param(
            [said("firing", 10, 10), said("resolved", 3, 12)], ["fired"],
            id="a resolve of an older start is late",
        ),
        pytest.param(
            [said("firing", 0, 0), said("firing", 10, 10), said("resolved", 0, 11)], ["fired"],
            id="a resolve that was lost on the way does not end what began since",
        ),
        pytest.param(
            [said("firing", 0, 0), said("firing", 10, 10), said("resolved", 10, 12)],
            ["fired", "clearing", "resolved"],
            id="and the newest start's does",
        ),
        pytest.param(
            [said("firing", 0, 5), said("resolved", 0, 4)], ["fired"],
            id="what was received before is late",
        ),
        pytest.param(
            [said("firing"), said("resolved", 0, 3), said("firing", 5, 5)],
            ["fired", "clearing", "resolved", "reopened"],
            id="A10: it fires again soon",
        ),
        pytest.param(
            [said("firing"), said("resolved", 0, 3), said("firing", 0, 5)],
            ["fired", "clearing", "resolved"],
            id="a firing that its resolve overtook opens nothing",
        ),
        pytest.param(
            [said("firing"), said("resolved", 0, 3), said("firing", 0, 12)],
            ["fired", "clearing", "resolved", "reopened"],
            id="but a source that insists is believed",
        ),
        pytest.param(
            [said("firing"), said("resolved", 0, 3), said("firing", 19, 19)],
            ["fired", "clearing", "resolved", "fired"],
            id="A11: later it is a new episode",
        ),
        pytest.param(
            [said("firing", severity=Severity.MEDIUM), said("firing", 0, 1)], ["fired", "worse"],
            id="A12: it says that it is worse",
        ),
        pytest.param(
            [said("firing"), said("resolved", 0, 3), said("firing", 5, 5, Severity.CRITICAL)],
            ["fired", "clearing", "resolved", "reopened", "worse"],
            id="A12: it comes back worse",
        ),
    ],
)  # fmt: skip
def test_a_source_says(events: list[ExternalEvent], expected: list[str]) -> None:
    assert heard(*events).verbs == expected


def test_a_resolve_that_cannot_be_believed_is_held_and_said_once() -> None:
    life = heard(said("firing"))
    life.hear(said("resolved", 0, 3), "its model says nothing")
    life.hear(said("resolved", 0, 4), "its model says nothing")
    assert life.verbs == ["fired", "clearing", "resolve_held"]
    assert life.steps[-1].why == "its model says nothing"
    assert (life.open.condition, life.open.data) == (AlertState.CLEARING, DataState.NONE)


def test_a_held_resolve_counts_when_nothing_spoke_against_it_for_a_while() -> None:
    life = heard(said("firing"))
    life.hear(said("resolved", 0, 3), "its model says nothing")
    life.settle(6).settle(8, "its model says nothing").settle(12)
    assert life.episode is not None
    life.settle(8 + HELD_RESOLVE_RELEASE // MINUTE)
    assert life.verbs[-2:] == ["data_back", "resolved"]
    assert life.previous is not None
    assert life.previous.end_reason is EndReason.SOURCE


def test_a_held_resolve_is_forgotten_when_its_alert_fires_again() -> None:
    life = heard(said("firing"))
    life.hear(said("resolved", 0, 3), "the source is silent").hear(said("firing", 0, 4))
    assert life.verbs[-2:] == ["data_back", "firing_again"]
    life.settle(60)
    assert life.open.condition is AlertState.FIRING


def test_a_resolve_said_again_by_a_live_source_ends_what_was_held() -> None:
    life = heard(said("firing"))
    life.hear(said("resolved", 0, 3), "the source is silent").hear(said("resolved", 0, 4))
    assert life.verbs[-1] == "resolved"


def test_a_silent_source_resolves_nothing_and_is_heard_again() -> None:
    life = heard(said("firing"))
    life.keep(*mark_no_data(life.open, START + 9 * MINUTE, "alertmanager is silent"))
    assert life.settle(90).open.condition is AlertState.FIRING
    life.hear(said("firing", 0, 91))
    assert life.verbs == ["fired", "no_data", "data_back"]


def test_a_source_that_flaps_is_not_over_until_it_is_calm() -> None:
    life = Heard()
    for minute in range(0, 12, 2):
        life.hear(said("firing", minute, minute)).hear(said("resolved", minute, minute + 1))
    assert "flapping_on" in life.verbs
    assert life.open.condition is AlertState.CLEARING
    life.settle(13)
    assert life.episode is not None
    life.settle(40)
    assert life.verbs[-2:] == ["flapping_off", "resolved"]


def test_what_was_said_while_time_went_by_is_not_late() -> None:
    life = heard(said("firing"))
    life.hear(said("resolved", 0, 3), "its model says nothing").settle(30)
    assert life.episode is None
    life.hear(said("firing", 29, 29))
    assert life.verbs[-2:] == ["resolved", "reopened"]
    life.settle(40).hear(said("resolved", 29, 39))
    assert life.verbs[-2:] == ["clearing", "resolved"]


def test_what_flapped_and_fires_on_is_calm_in_the_end() -> None:
    life = Heard()
    for minute in range(0, 12, 2):
        life.hear(said("firing", minute, minute)).hear(said("resolved", minute, minute + 1))
    life.hear(said("firing", 12, 12)).settle(43)
    assert not life.open.flapping
    assert life.open.condition is AlertState.FIRING


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        pytest.param(0, [], id="A17: what was on its way opens nothing"),
        pytest.param(1, ["fired"], id="A17: still said a minute later is a new episode"),
    ],
)
def test_a_person_ended_what_its_source_goes_on_to_say(minutes: int, expected: list[str]) -> None:
    life = heard(said("firing"))
    life.keep(*end_episode(life.open, START + 5 * MINUTE, EndReason.MANUAL, "elena: known"))
    life.steps.clear()
    assert life.hear(said("firing", 0, 5 + minutes)).verbs == expected


def test_a_clock_that_is_wrong_is_said_and_drops_nothing() -> None:
    event = replace(said("firing"), clock_skewed=True)
    assert heard(event).open.why == "too many errors; its clock is wrong"


@pytest.mark.parametrize(
    ("firing", "expected"),
    [
        pytest.param(said("firing", 0, 3), True, id="its own firing"),
        pytest.param(said("firing", 1, 3), False, id="another start"),
        pytest.param(
            said("firing", 0, 3 + EARLY_RESOLVE_WINDOW // MINUTE),
            False,
            id="one that came too late",
        ),
        pytest.param(said("firing", 0, 1), False, id="one that came before"),
        pytest.param(replace(said("firing", 0, 3), fingerprint="cd"), False, id="another alert"),
        pytest.param(replace(said("firing", 0, 3), source="b"), False, id="another source"),
    ],
)
def test_a_resolve_that_came_first_cancels_just_its_firing(
    firing: ExternalEvent, *, expected: bool
) -> None:
    assert is_resolve_of(said("resolved", 0, 2), firing) is expected


def test_an_end_is_no_end_again() -> None:
    ended: Episode | None = heard(said("firing"), said("resolved", 0, 3)).previous
    assert apply_event(None, said("resolved", 0, 3), ended) == (None, ())
    assert REOPEN_WINDOW == 15 * MINUTE


def test_a_claim_that_is_replayed_after_a_later_end_opens_nothing() -> None:
    """It claims a later start than the claim that ended last, which came after it."""
    early = said("firing", 2, 3)
    life = heard(early, said("resolved", 2, 5), said("firing", 0, 9), said("resolved", 0, 10))
    assert life.previous is not None
    assert apply_event(None, early, life.previous) == (None, ())
