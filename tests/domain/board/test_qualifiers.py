"""A value says in words what limits its meaning."""

import pytest

from watchdeck.domain.board.board import SignalValue
from watchdeck.domain.board.qualifiers import qualifiers
from watchdeck.domain.values.units import Unit


@pytest.mark.parametrize(
    ("value", "words"),
    [
        pytest.param(SignalValue(0.1, Unit.RATIO), (), id="plain"),
        pytest.param(SignalValue(0.1, Unit.RATIO, window=66), (), id="the usual window"),
        pytest.param(SignalValue(0.1, Unit.RATIO, window=1_200), ("in 20m",), id="a long window"),
        pytest.param(
            SignalValue(0.1, Unit.RATIO, server_wide=True), ("server-wide",), id="server-wide"
        ),
        pytest.param(
            SignalValue(71, Unit.CELSIUS, resource="node"), ("from node",), id="of a machine"
        ),
        pytest.param(
            SignalValue(0.1, Unit.RATIO, window=1_200, server_wide=True),
            ("in 20m", "server-wide"),
            id="two limits",
        ),
    ],
)
def test_a_value_has_its_qualifiers(value: SignalValue, words: tuple[str, ...]) -> None:
    assert qualifiers(value, 10_000) == words


def test_the_usual_window_follows_from_the_interval() -> None:
    slow = SignalValue(0.1, Unit.RATIO, window=1_200)
    assert qualifiers(slow, 300_000) == ()
