"""One change of a server is one marker; what only looks like one is none."""

from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from watchdeck.domain.board.change import ChangeKind, Marker
from watchdeck.domain.board.identity_history import HOUR, IdentityHistory, Observation
from watchdeck.domain.metrics.scrape import Identity, Outcome

NOW = 1_790_000_000_000
EVERY = 10_000
RESTARTED = "the server was restarted"
COUNTED = "the counters began again from 0"


def shown(*identities: Identity | Outcome, every: int = EVERY) -> list[Observation]:
    """One scrape after the other; an outcome stands for a scrape that failed with it."""
    return [
        Observation(
            NOW + every * turn,
            one if isinstance(one, Outcome) else Outcome.OK,
            Identity() if isinstance(one, Outcome) else one,
            every=every,
        )
        for turn, one in enumerate(identities)
    ]


def markers(history: IdentityHistory, seen: Iterable[Observation]) -> list[tuple[int, Marker]]:
    """The markers with the number of the scrape that showed each."""
    return [(turn, marker) for turn, one in enumerate(seen) for marker in history.add(one)]


def texts(*identities: Identity | Outcome) -> list[str]:
    return [marker.text for _, marker in markers(IdentityHistory(), shown(*identities))]


def started(seconds: int, **parts: object) -> Identity:
    """An identity whose process started so many seconds after the first scrape."""
    return replace(Identity(started_at=NOW + 1_000 * seconds), **parts)


@pytest.mark.parametrize(
    ("before", "now", "kind", "text"),
    [
        (Identity("1"), Identity("2"), ChangeKind.DEPLOY, "version 1 → 2"),
        (
            Identity("1", server_version="0.9"),
            Identity("1", server_version="1.0"),
            ChangeKind.DEPLOY,
            "server version 0.9 → 1.0",
        ),
        (
            Identity(certificate="aa11, valid until 2026-12-09"),
            Identity(certificate="bb22, valid until 2027-12-09"),
            ChangeKind.CONFIGURATION,
            "certificate bb22, valid until 2027-12-09; before: aa11, valid until 2026-12-09",
        ),
        (
            Identity(host="10.0.0.1"),
            Identity(host="10.0.0.2"),
            ChangeKind.CONFIGURATION,
            "another host answers: 10.0.0.2; before: 10.0.0.1",
        ),
        (Identity(replicas=2), Identity(replicas=0), ChangeKind.SCALE, "replicas 2 → 0"),
        (started(-90), started(5), ChangeKind.RESTART, RESTARTED),
        (Identity(resets=0), Identity(resets=1), ChangeKind.RESTART, COUNTED),
    ],
)
def test_each_change_is_one_marker(
    before: Identity, now: Identity, kind: ChangeKind, text: str
) -> None:
    found = markers(IdentityHistory(), shown(before, before, now, now))
    assert found == [(2, Marker(kind, text))]


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param([Identity("1", NOW, 2, 1, "0.9", "aa", "10.0.0.1")], id="the first scrape"),
        pytest.param([Identity("1"), Identity(), Identity("1")], id="unknown in between"),
        pytest.param([Identity(resets=5), Identity(resets=0)], id="a new collector"),
        pytest.param([started(-90), started(-89)], id="a start that wavers"),
        pytest.param([started(-90), started(-50)], id="a worker older than the first scrape"),
        pytest.param([started(-90), started(-90, resets=1)], id="counters of the same process"),
        pytest.param(
            [Identity("3", server_version="2.9"), Identity("2.9"), Identity("3")],
            id="the version of the server in place of the model's",
        ),
        pytest.param(
            [Identity("2.9"), Identity("3", server_version="2.9")],
            id="the first version of the model",
        ),
        pytest.param(
            [started(-90), Outcome.REFUSED, started(-90)], id="the same process after a refusal"
        ),
        pytest.param(
            [Identity("1"), Outcome.TIMED_OUT, Outcome.RESET, Identity("1")], id="a lost network"
        ),
        pytest.param([Outcome.REFUSED, Identity("1")], id="a first start"),
    ],
)
def test_what_is_no_change_is_not_marked(seen: list[Identity | Outcome]) -> None:
    assert texts(*seen) == []


@pytest.mark.parametrize(
    ("seen", "text"),
    [
        pytest.param(
            [started(-90), started(-90), started(15, resets=1), started(15, resets=1)],
            RESTARTED,
            id="start and counters at once",
        ),
        pytest.param(
            [started(-90), Identity(resets=1), started(9, resets=1), started(9, resets=1)],
            COUNTED,
            id="the counters first, then the start",
        ),
        pytest.param(
            [started(-90), started(9), Identity(resets=1), started(9, resets=2)],
            RESTARTED,
            id="the start first, then the counters",
        ),
        pytest.param(
            [Identity(), Outcome.REFUSED, Outcome.REFUSED, Identity(), Identity(resets=1)],
            "the server answers again, after it refused connections for 20s",
            id="a refusal, then counters that fall",
        ),
        pytest.param(
            [Identity(), Outcome.REFUSED, Outcome.HTTP_STATUS, Identity(), Identity()],
            "the server answers again, after it refused connections for 10s",
            id="files that survive: only the refusal shows it",
        ),
        pytest.param(
            [started(-90), Outcome.REFUSED, Outcome.HTTP_STATUS, started(12), started(12)],
            RESTARTED,
            id="a refusal, and a start that tells",
        ),
        pytest.param(
            [Identity(), Outcome.REFUSED, Identity(), started(12), started(12)],
            "the server answers again, after it refused connections for 10s",
            id="a start time that comes late",
        ),
        pytest.param(
            [Identity(), Outcome.REFUSED, started(12), started(12)],
            RESTARTED,
            id="a start time for the first time",
        ),
    ],
)
def test_one_restart_is_one_marker(seen: list[Identity | Outcome], text: str) -> None:
    assert texts(*seen) == [text]


def test_two_restarts_are_two_markers() -> None:
    assert texts(started(-90), started(5), started(15), started(25)) == [RESTARTED] * 3


def test_a_restart_that_is_seen_late_is_marked_where_it_was() -> None:
    history = IdentityHistory()
    seen = shown(started(-90), *[Outcome.TIMED_OUT] * 30, started(100))
    ((_, marker),) = markers(history, seen)
    assert marker.at == NOW + 100_000


def test_a_restart_between_two_collectors_is_marked_once() -> None:
    history = IdentityHistory()
    first, later = shown(started(-90, resets=2), started(5))
    assert history.add(first) == ()
    anew = IdentityHistory(history.known)
    assert [marker.text for marker in anew.add(later)] == [RESTARTED]
    assert IdentityHistory(anew.known).add(replace(later, at=later.at + EVERY)) == ()


def test_workers_that_answer_in_turn_for_an_hour_have_no_start_of_their_own() -> None:
    history = IdentityHistory()
    turns = 2 * HOUR // EVERY
    assert markers(history, shown(started(-90), *[Identity()] * turns)) == []
    late = NOW + 3 * HOUR
    recycled = Observation(late, Outcome.OK, Identity(started_at=late - 60_000))
    assert IdentityHistory(history.known).add(recycled) == ()


def test_versions_that_answer_in_turn_are_one_change_until_one_is_left() -> None:
    old, new = Identity("1"), Identity("2")
    history = IdentityHistory()
    seen = shown(old, new, old, new, old, old, new, *[old] * 9)
    assert [(turn, one.text) for turn, one in markers(history, seen)] == [
        (1, "version 1 → 2"),
        (13, "version 2 → 1"),
    ]


def test_a_version_that_returns_is_marked_where_it_returned() -> None:
    old, new = Identity("1"), Identity("2")
    found = markers(IdentityHistory(), shown(old, *[new] * 30, *[old] * 9))
    assert [(one.text, one.at) for _, one in found] == [
        ("version 1 → 2", None),
        ("version 2 → 1", NOW + 31 * EVERY),
    ]


def test_addresses_that_answer_in_turn_are_marked_once_each() -> None:
    ring = [Identity(host=f"10.0.0.{last}") for last in (1, 2, 3)]
    history = IdentityHistory()
    found = markers(history, shown(*ring * 40))
    assert [turn for turn, _ in found] == [1, 2]
    known = history.known
    assert markers(history, shown(*ring)) == []
    assert history.known is known, "a round robin writes nothing"
    assert markers(IdentityHistory(known), shown(*ring)) == []


def missing(turn: int, *names: str) -> Observation:
    return Observation(NOW + EVERY * turn, Outcome.OK, Identity(), names)


def test_signals_that_a_page_gives_no_more_are_one_marker() -> None:
    history = IdentityHistory()
    seen = [missing(0), missing(1, "in_flight", "queue_depth"), missing(2, "in_flight")]
    ((turn, marker),) = markers(history, [*seen, missing(3), missing(4, "in_flight")])
    assert turn == 1
    assert marker.what is ChangeKind.NOTE
    assert marker.text == ("series renamed or gone: the page gives no more in_flight, queue_depth")
    assert markers(IdentityHistory(history.known), [missing(5, "in_flight")]) == []


def test_signals_that_were_back_for_an_hour_are_marked_again() -> None:
    history = IdentityHistory()
    day = [missing(0), missing(1, "in_flight"), *(missing(n) for n in range(2, 400))]
    found = markers(history, [*day, missing(400, "in_flight")])
    assert [turn for turn, _ in found] == [1, 400]


def test_a_marker_is_one_short_line() -> None:
    history = IdentityHistory()
    names = tuple(f"signal_number_{n}" for n in range(40))
    ((_, marker),) = markers(history, [missing(0), missing(1, *names)])
    assert len(marker.text) == 200
