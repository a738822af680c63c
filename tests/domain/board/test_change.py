import pytest

from watchdeck.domain.board.change import ChangeKind, Marker, read_change


@pytest.mark.parametrize(
    ("text", "marker"),
    [
        pytest.param("retrain: on May", Marker(ChangeKind.RETRAIN, "on May"), id="a known kind"),
        pytest.param(
            "limit raised", Marker(ChangeKind.CONFIGURATION, "limit raised"), id="no kind"
        ),
        pytest.param(
            "restart: by hand",
            Marker(ChangeKind.CONFIGURATION, "restart: by hand"),
            id="a kind that only watchdeck detects",
        ),
    ],
)
def test_a_change_in_a_configuration_has_a_kind(text: str, marker: Marker) -> None:
    assert read_change(text) == marker
