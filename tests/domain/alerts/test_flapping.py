import pytest
from msgspec.structs import replace

from domain.alerts.lives import AT_ONCE, START, Life, firing, lived
from watchdeck.domain.alerts.flapping import (
    CALM_FIRING,
    CALM_QUIET,
    flapping_score,
    is_flapping,
    record_sample,
    record_unchanged,
)

MINUTE = 60_000


def bits(letters: str) -> int:
    """`.` a sample like the one before, `x` another; the oldest first."""
    recent = 0
    for letter in letters:
        recent = record_sample(recent, changed=letter == "x")
    return recent


def test_a_change_now_weighs_half_as_much_again_as_one_twenty_samples_ago() -> None:
    assert flapping_score(bits("x")) == pytest.approx(1.18 / 20)
    assert flapping_score(bits("x" + "." * 19)) == pytest.approx(0.8 / 20)
    assert flapping_score(bits("x" + "." * 20)) == 0


def test_all_twenty_changed_is_all_but_one_hundredth() -> None:
    assert flapping_score(bits("x" * 20)) == pytest.approx(0.99)


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        pytest.param("x.x.x.x.x.x", True, id="six late changes are flapping"),
        pytest.param("x.x.x.x.x", False, id="five late changes are not"),
        pytest.param("x.x.x.x.x.x.", False, id="it begins with a change only"),
    ],
)
def test_an_alert_that_changes_with_most_samples_flaps(letters: str, *, expected: bool) -> None:
    assert is_flapping(firing(recent=bits(letters)), START) is expected


@pytest.mark.parametrize(
    ("minutes", "now", "expected"),
    [
        pytest.param((0, 30, 60), 60, True, id="the third time within an hour"),
        pytest.param((0, 30, 61), 61, False, id="the third time in more than an hour"),
        pytest.param((30, 60), 60, False, id="the second time"),
        pytest.param((0, 30, 60), 61, False, id="it begins when it fires"),
    ],
)
def test_an_alert_that_fires_again_and_again_flaps(
    minutes: tuple[int, ...], now: int, *, expected: bool
) -> None:
    times = tuple(START + MINUTE * minute for minute in minutes)
    assert is_flapping(firing(firings=times), START + MINUTE * now) is expected


@pytest.mark.parametrize(
    ("truth", "false_for", "now", "expected"),
    [
        pytest.param(False, CALM_QUIET - 1, 0, True, id="not yet quiet for long enough"),
        pytest.param(False, CALM_QUIET, 0, False, id="quiet"),
        pytest.param(True, 0, CALM_FIRING - 1, True, id="not yet firing for long enough"),
        pytest.param(True, 0, CALM_FIRING, False, id="firing without a break"),
    ],
)
def test_an_alert_flaps_until_it_is_calm(
    false_for: int, now: int, *, truth: bool, expected: bool
) -> None:
    flaps = firing(flapping=True, truth=truth, false_for=false_for, firings=(START,))
    assert is_flapping(flaps, START + now) is expected


def test_a_rest_ages_the_changes() -> None:
    assert record_unchanged(bits("xx"), 18) == bits("xx" + "." * 18)
    assert record_unchanged(bits("xx"), 1_000_000) == 0
    assert record_unchanged(bits("xx"), -3) == bits("xx")


def test_an_alert_that_changes_its_mind_six_times_flaps_once_until_it_is_calm() -> None:
    life = lived("TFTFTFTFT" + "T" * 181, AT_ONCE)
    assert [verb for verb in life.verbs if "flapping" in verb] == ["flapping_on", "flapping_off"]
    assert not life.open.flapping
    assert life.open.flapped_at is not None


def test_a_flapping_alert_is_not_over_until_it_was_quiet_for_a_quarter_of_an_hour() -> None:
    life = lived("TFTFTFTFTF", AT_ONCE)
    assert life.open.flapping
    life.play("F" * 89)
    assert life.episode is not None
    life.play("F" * 2)
    assert life.verbs[-2:] == ["flapping_off", "resolved"]


def test_what_comes_back_every_ten_minutes_flaps_from_the_third_time_on() -> None:
    life = Life(replace(AT_ONCE, resolve_for=0))
    for _ in range(72):
        life.play("TF").wait(600_000)
    assert life.verbs.count("resolved") == 2
    assert life.verbs.count("flapping_on") == 1
    assert life.open.flapping


def test_an_alert_that_only_waits_to_fire_never_flaps() -> None:
    assert "flapping_on" not in lived("TF" * 30).verbs
