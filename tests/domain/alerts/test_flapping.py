import pytest
from msgspec.structs import replace

from domain.alerts.lives import AT_ONCE, Life, lived
from watchdeck.domain.alerts.lifecycle import (
    flapping_score,
    is_flapping,
    record_sample,
    record_unchanged,
)


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
    ("letters", "was", "expected"),
    [
        pytest.param("x.x.x.x.x.x", False, True, id="six late changes are flapping"),
        pytest.param("x.x.x.x.x", False, False, id="five late changes are not"),
        pytest.param("x.x.x.x.x", True, True, id="five late changes do not end it"),
        pytest.param("x.x.x.x.x" + "." * 8, True, False, id="five older changes are calm"),
    ],
)
def test_between_the_two_bounds_it_stays_what_it_was(
    letters: str, *, was: bool, expected: bool
) -> None:
    assert is_flapping(bits(letters), flapping=was) is expected


def test_a_rest_ages_the_changes() -> None:
    assert record_unchanged(bits("xx"), 18) == bits("xx" + "." * 18)
    assert record_unchanged(bits("xx"), 1_000_000) == 0
    assert record_unchanged(bits("xx"), -3) == bits("xx")


def test_an_alert_that_changes_its_mind_six_times_flaps_once_until_it_is_calm() -> None:
    life = lived("TFTFTFTFT" + "T" * 15, AT_ONCE)
    assert [verb for verb in life.verbs if "flapping" in verb] == ["flapping_on", "flapping_off"]
    assert not life.open.flapping
    assert life.open.flapped_at is not None


def test_a_flapping_alert_is_not_over_however_long_it_is_false_until_it_is_calm() -> None:
    life = lived("TFTFTFTFTF", AT_ONCE)
    assert life.open.flapping
    life.play("F" * 6)
    assert life.episode is not None
    life.play("F" * 10)
    assert life.verbs[-2:] == ["flapping_off", "resolved"]


def test_what_comes_back_after_a_calm_time_does_not_flap() -> None:
    hasty = replace(AT_ONCE, resolve_for=0)
    assert "flapping_on" in lived("TF" * 6, hasty).verbs
    calm = Life(hasty)
    for _ in range(6):
        calm.play("TF").wait(600_000)
    assert calm.verbs.count("reopened") == 5
    assert "flapping_on" not in calm.verbs


def test_an_alert_that_only_waits_to_fire_never_flaps() -> None:
    assert "flapping_on" not in lived("TF" * 30).verbs
