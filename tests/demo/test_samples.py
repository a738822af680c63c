import csv
from collections import defaultdict
from decimal import Decimal

import pytest

from watchdeck.data import folder
from watchdeck.demo.samples import DAYS, MONTH, costs, predictions

FRAUD = folder("sample_data") / "fraud"


def test_the_files_are_what_the_generator_makes() -> None:
    assert (FRAUD / "predictions.csv").read_text().splitlines() == [*predictions()]
    assert (FRAUD / "costs.csv").read_text().splitlines() == [*costs()]


@pytest.mark.parametrize(
    ("version", "found", "suspected"),
    [
        pytest.param("v1", 0.85, 0.12, id="before the optimisation"),
        pytest.param("v2", 0.92, 0.05, id="after it"),
    ],
)
def test_the_rates_are_exact(version: str, found: float, suspected: float) -> None:
    rows = [row for row in csv.DictReader(predictions()) if row["model_version"] == version]
    frauds = [row for row in rows if row["label"] == "1"]
    honest = [row for row in rows if row["label"] == "0"]
    assert sum(row["prediction"] == "1" for row in frauds) / len(frauds) == found
    assert sum(row["prediction"] == "1" for row in honest) / len(honest) == suspected
    assert all((float(row["score"]) >= 0.5) == (row["prediction"] == "1") for row in rows)
    assert all(row["labelled_at"] > row["timestamp"] for row in rows)


def test_the_costs_fall_from_10000_to_6000_a_month() -> None:
    daily: dict[str, Decimal] = defaultdict(Decimal)
    for row in csv.DictReader(costs()):
        daily[row["date"]] += Decimal(row["amount"])
    amounts = [daily[day] for day in sorted(daily)]
    assert len(amounts) == DAYS
    assert round(amounts[0] * MONTH) == pytest.approx(10_000, abs=1)
    assert round(amounts[-1] * MONTH) == pytest.approx(6_000, abs=1)
    assert amounts == sorted(amounts, reverse=True)
