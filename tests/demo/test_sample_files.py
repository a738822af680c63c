import csv
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest

from demo.sample_files import DAYS, LAST_DAY, MONTH, PHASES, costs, predictions
from watchdeck.demo.fleet.endpoints import ENDPOINTS
from watchdeck.demo.fleet.metrics_pages import render_page
from watchdeck.demo.fleet.traffic import zero_counts
from watchdeck.demo.scenario import CHANGES, OPTIMISED
from watchdeck.resources import folder

FRAUD = folder("sample_data") / "fraud"
A_DAY = timedelta(days=1)


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


def test_costs_and_predictions_change_on_the_days_of_the_changes() -> None:
    daily: dict[date, Decimal] = defaultdict(Decimal)
    for row in csv.DictReader(costs()):
        daily[date.fromisoformat(row["date"])] += Decimal(row["amount"])
    fallen = [day for day, amount in daily.items() if amount < daily.get(day - A_DAY, amount)]
    today = LAST_DAY + A_DAY
    assert [(today - day).days for day in fallen] == [change.days for change in CHANGES]
    before, after = PHASES
    assert before.start.date() + before.days * A_DAY == fallen[0]
    assert after.start.date() + after.days * A_DAY == today
    assert after.start.date() > fallen[-1]


def test_the_live_page_tells_the_version_of_the_last_predictions() -> None:
    fraud = next(part for part in ENDPOINTS if part.name == OPTIMISED)
    assert f'version="{PHASES[-1].version}"' in render_page(fraud.page(fraud.name, zero_counts()))
