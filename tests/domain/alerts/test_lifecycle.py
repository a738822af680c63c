import pytest
from msgspec.structs import replace

from domain.alerts.lives import AT_ONCE, EVERY, RULE, START, Life, firing, found, lived
from watchdeck.domain.alerts.alert import AlertState, DataState, EndReason
from watchdeck.domain.alerts.lifecycle import (
    NO_EPISODE,
    REOPEN_WINDOW,
    advance,
    apply_no_data_policy,
    end_episode,
    mark_no_data_if_due,
    mark_stale,
    reopen,
    shift_times,
)
from watchdeck.domain.rules.rule import NoData, Rule, Severity

LATE = replace(AT_ONCE, no_data_after=300_000)
THREE = replace(AT_ONCE, min_samples=3)
CLEARED = "T" + "F" * 7


@pytest.mark.parametrize(
    ("rule", "letters", "told"),
    [
        pytest.param(RULE, "F_F", [], id="nothing is made of what is not true"),
        pytest.param(RULE, "T", ["0 pending"], id="A1: true is pending while the rule waits"),
        pytest.param(AT_ONCE, "T", ["0 fired"], id="A1: a rule that does not wait fires at once"),
        pytest.param(
            RULE, "TTTT", ["0 pending", "3 fired"], id="A2: true for so long fires, and not sooner"
        ),
        pytest.param(THREE, "TTT", ["0 pending", "2 fired"], id="A2: too few samples do not fire"),
        pytest.param(RULE, "TTTF", ["0 pending", "3 dropped"], id="A3: one good sample drops it"),
        pytest.param(
            RULE, "TTFTTTT", ["0 pending", "2 dropped", "3 pending", "6 fired"],
            id="A3: and it waits from the beginning",
        ),
        pytest.param(
            RULE, "TT__TT", ["0 pending", "5 fired"],
            id="A4: missing samples stop the clock and do not set it back",
        ),
        pytest.param(
            RULE, "T_T_T_T", ["0 pending", "6 fired"],
            id="A4: a target that answers every other time fires in the end",
        ),
        pytest.param(
            RULE, "T" + "_" * 9 + "TTT",
            ["0 pending", "4 no_data", "10 data_back", "12 fired"],
            id="A4: a long silence counts as one interval",
        ),
        pytest.param(AT_ONCE, "TF", ["0 fired", "1 clearing"], id="A5: a good sample clears"),
        pytest.param(
            AT_ONCE, "TFFFFFFF", ["0 fired", "1 clearing", "7 resolved"],
            id="A6: good for so long is over, and not sooner",
        ),
        pytest.param(
            replace(AT_ONCE, resolve_for=0), "TF", ["0 fired", "1 clearing", "1 resolved"],
            id="A6: a rule that does not wait for the end is over at once",
        ),
        pytest.param(
            LATE, "TFFF____FFFF", ["0 fired", "1 clearing", "11 resolved"],
            id="A6: only good samples count towards the end",
        ),
        pytest.param(
            AT_ONCE, "TFFT", ["0 fired", "1 clearing", "3 firing_again"],
            id="A7: true again fires on",
        ),
        pytest.param(
            AT_ONCE, "TFFFFTFFFFFF", ["0 fired", "1 clearing", "5 firing_again", "6 clearing"],
            id="A7: and the wait for the end begins anew",
        ),
        pytest.param(
            AT_ONCE, "T_____", ["0 fired", "4 no_data"], id="A8: three intervals of silence, once"
        ),
        pytest.param(
            AT_ONCE, "TF_____", ["0 fired", "1 clearing", "5 no_data"],
            id="A8: also of one that is clearing",
        ),
        pytest.param(LATE, "T" + "_" * 30, ["0 fired"], id="A8: or as long as the rule says"),
        pytest.param(
            AT_ONCE, "T____T", ["0 fired", "4 no_data", "5 data_back"],
            id="A9: a sample is back, and it fires on",
        ),
        pytest.param(
            AT_ONCE, "T____F", ["0 fired", "4 no_data", "5 data_back", "5 clearing"],
            id="A9: a good sample is back, and it clears",
        ),
        pytest.param(
            AT_ONCE, CLEARED + "T", ["0 fired", "1 clearing", "7 resolved", "8 reopened"],
            id="A10: true soon after is the same episode",
        ),
    ],
)  # fmt: skip
def test_an_alert_moves(rule: Rule, letters: str, told: list[str]) -> None:
    assert lived(letters, rule).told == told


@pytest.mark.parametrize(
    ("waited", "verb"),
    [
        pytest.param(REOPEN_WINDOW - EVERY, "reopened", id="A10: a quarter of an hour later"),
        pytest.param(REOPEN_WINDOW - EVERY + 1, "fired", id="A11: later it is a new episode"),
    ],
)
def test_what_comes_back_is_the_same_episode_for_a_quarter_of_an_hour(
    waited: int, verb: str
) -> None:
    life = lived(CLEARED, AT_ONCE).wait(waited).play("T")
    assert life.verbs[-1] == verb
    assert (life.open.id == 1) is (verb == "reopened")
    assert life.open.reopened == (verb == "reopened")


def test_a_reopened_episode_fires_at_once_even_where_the_rule_waits() -> None:
    life = lived("TTTT" + "F" * 7 + "T")
    assert life.open.condition is AlertState.FIRING
    assert life.open.ended_at is None
    assert life.open.started_at == START


def test_how_long_nobody_took_it_is_counted_from_when_it_came_back() -> None:
    previous = lived(CLEARED, AT_ONCE).previous
    assert previous is not None
    back = START + 5 * 60_000
    assert reopen(replace(previous, paged_at=START), back, EVERY).paged_at == back
    assert reopen(replace(previous, paged_at=None), back, EVERY).paged_at is None


def test_what_never_fired_does_not_open_again() -> None:
    assert lived("TTFT").verbs == ["pending", "dropped", "pending"]


def test_a_severity_that_rises_is_told_and_remembered() -> None:
    life = lived("T", AT_ONCE)
    life.rule = replace(AT_ONCE, severity=Severity.CRITICAL)
    life.play("T")
    assert life.verbs[-1] == "worse"
    assert life.open.worse_at == START + EVERY
    life.rule = AT_ONCE
    life.play("T")
    assert life.verbs[-1] == "better"
    assert (life.open.severity, life.open.peak_severity) == (Severity.HIGH, Severity.CRITICAL)


def test_an_episode_that_reopens_worse_says_both() -> None:
    life = lived(CLEARED, AT_ONCE)
    life.rule = replace(AT_ONCE, severity=Severity.CRITICAL)
    assert life.play("T").verbs[-2:] == ["reopened", "worse"]


@pytest.mark.parametrize(
    ("rest", "verbs"),
    [
        pytest.param(59_999, [], id="a person's end rests for as long as the rule waits"),
        pytest.param(60_000, ["fired"], id="A17: still true after that is a new episode"),
    ],
)
def test_what_a_person_called_over_and_is_not(rest: int, verbs: list[str]) -> None:
    life = lived("T", AT_ONCE)
    life.keep(*end_episode(life.open, START, EndReason.MANUAL, "elena: replaced the disk"))
    life.steps.clear()
    life.see(found("T", START + rest))
    assert life.verbs == verbs
    assert life.episode is None or life.episode.id == 2


def test_a_quiet_pair_is_nothing_at_all() -> None:
    for letter in "F_":
        assert advance(RULE, EVERY, None, found(letter, START)) is NO_EPISODE


@pytest.mark.parametrize("late", [0, 1, 10_000])
def test_a_finding_that_is_no_newer_changes_nothing(late: int) -> None:
    life = lived("TTTT")
    before = life.open
    assert advance(RULE, EVERY, before, found("F", before.seen_at - late)) == (before, ())


def test_a_finding_from_before_the_end_opens_nothing() -> None:
    life = lived(CLEARED, AT_ONCE)
    life.see(found("T", START + 7 * EVERY))
    assert life.episode is None


def test_hysteresis_is_the_evaluators_and_the_episode_just_goes_on() -> None:
    """Between the limit and `clear` the finding stays true: nothing happens here."""
    assert lived("TTTTTTT", AT_ONCE).told == ["0 fired"]


def test_the_peak_is_what_was_furthest_past_the_limit_on_either_side() -> None:
    life = Life(AT_ONCE)
    for number, value in enumerate((0.3, 0.9, 0.4, None)):
        life.see(found("T", START + number * EVERY, value))
    life.see(found("F", START + 5 * EVERY, 99.0))
    assert (life.open.value, life.open.peak) == (99.0, 0.9)
    life = Life(AT_ONCE)
    for number, value in enumerate((0.15, 0.02, 0.1)):
        life.see(found("T", START + number * EVERY, value))
    assert life.open.peak == 0.02


def test_a_window_brings_its_own_samples() -> None:
    life = Life(THREE)
    life.see(found("T", START, samples=40))
    assert life.verbs == ["fired"]


@pytest.mark.parametrize(
    ("policy", "quiet", "truth"),
    [
        pytest.param(NoData.FIRE, 30_000, None, id="fire: a short silence is none"),
        pytest.param(NoData.FIRE, 30_001, True, id="fire: silence is trouble"),
        pytest.param(NoData.HOLD, 99_000, None, id="hold: silence says nothing"),
        pytest.param(NoData.IGNORE, 99_000, None, id="ignore: silence says nothing"),
    ],
)
def test_a_rule_may_take_silence_for_trouble(
    policy: NoData,
    quiet: int,
    truth: bool | None,  # noqa: FBT001
) -> None:
    rule = replace(AT_ONCE, no_data=policy)
    finding = apply_no_data_policy(rule, EVERY, found("_", START + quiet), START)
    assert finding.truth is truth
    assert apply_no_data_policy(rule, EVERY, found("F", START + quiet), START).truth is False


def test_a_restart_makes_all_stale_and_is_patient_for_a_minute() -> None:
    restarted = START + 3_600_000
    episode = mark_stale(lived("TTTT").open, restarted)
    assert episode.data is DataState.STALE
    assert mark_no_data_if_due(RULE, EVERY, episode, restarted + 60_000) == (episode, ())
    after, told = mark_no_data_if_due(RULE, EVERY, episode, restarted + 60_001)
    assert (after.data, after.condition, len(told)) == (DataState.NONE, AlertState.FIRING, 1)


def test_a_restart_of_a_slow_target_is_patient_for_two_intervals() -> None:
    episode = mark_stale(firing(), START)
    assert mark_no_data_if_due(RULE, 300_000, episode, START + 600_000)[1] == ()
    assert mark_no_data_if_due(RULE, 300_000, episode, START + 600_001)[1] != ()


def test_the_time_in_which_nobody_collected_counts_for_nothing() -> None:
    life = lived("TT")
    life.wait(3_600_000)
    life.episode = mark_stale(life.open, life.now)
    life.wait(EVERY).play("TT")
    assert life.verbs == ["pending", "fired"]
    assert life.open.data is DataState.FRESH
    assert life.open.observed == 30_000


def test_a_restart_tells_nothing_again_of_one_without_data() -> None:
    episode = lived("T____", AT_ONCE).open
    assert mark_stale(episode, START + 3_600_000) is episode


@pytest.mark.parametrize("jump", [3_600_000, -3_600_000])
def test_a_clock_that_jumps_ends_nothing_early_and_delays_nothing(jump: int) -> None:
    life = lived("TTF" + "TT")
    life.episode = shift_times(life.open, jump, life.now + jump)
    life.wait(jump).play("TT")
    assert life.verbs == ["pending", "dropped", "pending", "fired"]
    ended = lived(CLEARED, AT_ONCE)
    assert ended.previous is not None
    ended.previous = shift_times(ended.previous, jump, ended.now + jump)
    assert ended.wait(jump).play("T").verbs[-1] == "reopened"


def test_a_jump_moves_what_is_measured_from_and_leaves_what_people_saw() -> None:
    before = firing(worse_at=START + 1, flapped_at=START + 2)
    after = shift_times(before, 5, START + 100)
    assert after == replace(
        before, seen_at=START + 5, paged_at=START + 5, worse_at=START + 6, flapped_at=START + 7
    )


def test_a_jump_from_a_wrong_clock_moves_nothing_that_a_right_one_set() -> None:
    before = firing(firings=(START,))
    assert shift_times(before, START, START + 3_600_000) == before


def test_a_rule_that_is_taken_away_takes_its_episode_along() -> None:
    after, told = end_episode(firing(), START, EndReason.WITHDRAWN, "the rule was taken away")
    assert (after.condition, after.end_reason) == (AlertState.OK, EndReason.WITHDRAWN)
    assert [one.why for one in told] == ["the rule was taken away"]


def test_every_step_carries_the_episode_as_it_was_then() -> None:
    fired, clearing, resolved = lived("T" + "F" * 7, AT_ONCE).steps
    assert fired.episode.condition is AlertState.FIRING
    assert clearing.episode.condition is AlertState.CLEARING
    assert resolved.episode.ended_at == resolved.at
