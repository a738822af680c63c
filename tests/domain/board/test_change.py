import pytest

from watchdeck.domain.board.change import ChangeKind, Marker, detect_changes, merge_identity
from watchdeck.domain.metrics.scrape import Identity

RESTART = Marker(ChangeKind.RESTART, "the server was restarted")
AGAIN = Marker(ChangeKind.RESTART, "the counters began again from 0")


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        pytest.param(None, Identity("1"), (), id="the first sight is no change"),
        pytest.param(
            Identity("1"),
            Identity("2"),
            (Marker(ChangeKind.DEPLOY, "version 1 → 2"),),
            id="another version is a deploy",
        ),
        pytest.param(Identity("1"), Identity(None), (), id="an unknown version is no change"),
        pytest.param(
            Identity(started_at=1), Identity(started_at=5_000), (RESTART,), id="a later start"
        ),
        pytest.param(
            Identity(started_at=1), Identity(started_at=1_500), (), id="a start that jitters"
        ),
        pytest.param(Identity(resets=0), Identity(resets=1), (AGAIN,), id="a counter reset"),
        pytest.param(
            Identity(started_at=1, resets=0),
            Identity(started_at=5_000, resets=1),
            (RESTART,),
            id="a restart is told once",
        ),
        pytest.param(
            Identity(replicas=2),
            Identity(replicas=0),
            (Marker(ChangeKind.SCALE, "replicas 2 → 0"),),
            id="scaled to zero",
        ),
    ],
)
def test_a_change_is_marked(
    before: Identity | None, now: Identity, found: tuple[Marker, ...]
) -> None:
    assert detect_changes(before, now) == found


def test_what_was_known_is_kept_until_it_is_known_anew() -> None:
    before = Identity("1", 5, 2, 3)
    assert merge_identity(before, Identity(None, None, None, 4)) == Identity("1", 5, 2, 4)
    assert merge_identity(before, Identity("2", 6, 0, 0)) == Identity("2", 6, 0, 0)
    assert merge_identity(None, before) == before
