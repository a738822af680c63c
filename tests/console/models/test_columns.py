"""A cell of the models table marks a value whose limits only the model's screen can say."""

import pytest

from console import boards
from watchdeck.console.lines.line import Role, Span
from watchdeck.console.models.columns import (
    MODEL_COLUMNS,
    choose_columns,
    column_names,
    has_limited_value,
)
from watchdeck.domain.board.board import Model, SignalValue
from watchdeck.domain.metrics.signal import RESOURCE_SIGNALS
from watchdeck.domain.values.units import Unit

PLAIN = SignalValue(12.5, Unit.PER_SECOND)
SHARED = SignalValue(12.5, Unit.PER_SECOND, server_wide=True)
RARE = SignalValue(0.042, Unit.RATIO, window=1_200)


def model(**known: SignalValue) -> Model:
    return boards.model("x", seen=boards.latest("x", signals=known))


def cell(column: str, shown: Model) -> Span:
    (found,) = (one for one in MODEL_COLUMNS if one.name == column)
    return found.cell(shown, boards.NOW)


@pytest.mark.parametrize(
    ("column", "known", "text"),
    [
        pytest.param("rate", {"request_rate": PLAIN}, "12.5", id="plain"),
        pytest.param("rate", {"request_rate": SHARED}, "12.5*", id="of the whole server"),
        pytest.param("errors", {"error_ratio": RARE}, "4.2%*", id="over a longer time"),
        pytest.param("p95", {}, "\u2013", id="unknown"),
    ],
)
def test_a_value_with_limits_has_a_mark(
    column: str, known: dict[str, SignalValue], text: str
) -> None:
    shown = model(**known)
    assert cell(column, shown).text == text
    assert has_limited_value(shown) is text.endswith("*")
    if text.endswith("*"):
        assert cell(column, shown).role is Role.MUTED


def test_the_figures_of_a_machine_are_columns() -> None:
    columns, problems = choose_columns(RESOURCE_SIGNALS)
    hot = SignalValue(71.0, Unit.CELSIUS, resource="gpu-node")
    assert problems == ()
    assert {*RESOURCE_SIGNALS} <= {*column_names()}
    shown = {one.name: one.cell(model(gpu_temperature=hot), boards.NOW).text for one in columns}
    assert shown["gpu_temperature"] == "71°C*"
