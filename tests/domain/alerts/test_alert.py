"""An alert is shown by one word, and by the most important one."""

import pytest
from msgspec.structs import replace

from domain.notifications.made import raised, taken
from watchdeck.domain.alerts.alert import ActiveAlert, AlertState, DataState, Mute, MuteKind

FIRING = raised()
MUTED = replace(FIRING, mutes=(Mute(MuteKind.SILENCE, "3"),))


def shown(alert: ActiveAlert, **episode: object) -> ActiveAlert:
    return replace(alert, episode=replace(alert.episode, **episode))


@pytest.mark.parametrize(
    ("alert", "word"),
    [
        pytest.param(FIRING, "FIRING", id="it fires"),
        pytest.param(MUTED, "MUTED", id="it fires and is muted"),
        pytest.param(taken(MUTED), "ACKED", id="an owner counts more than a mute"),
        pytest.param(shown(FIRING, condition=AlertState.PENDING), "PENDING", id="it may fire soon"),
        pytest.param(
            shown(taken(FIRING), condition=AlertState.CLEARING), "CLEARING", id="it may end soon"
        ),
        pytest.param(shown(taken(FIRING), flapping=True), "FLAPPING", id="it flaps, with an owner"),
        pytest.param(
            shown(FIRING, flapping=True, data=DataState.NONE), "NO DATA", id="no data hides all"
        ),
        pytest.param(
            shown(FIRING, condition=AlertState.OK, data=DataState.NONE), "RESOLVED", id="it ended"
        ),
    ],
)
def test_one_word_shows_the_state_of_an_alert(alert: ActiveAlert, word: str) -> None:
    assert alert.display_state == word
