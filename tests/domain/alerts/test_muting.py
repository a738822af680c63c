import pytest
from msgspec.structs import replace

from domain.alerts.lives import ALERT, START, firing, raised
from watchdeck.domain.alerts.alert import AlertState, DataState, Mute, MuteKind
from watchdeck.domain.alerts.maintenance import Maintenance
from watchdeck.domain.alerts.muting import (
    DownAlert,
    MuteContext,
    find_down_models,
    labels_of,
    matching_alerts,
    mute_reasons,
)
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.values.matcher import read_matcher

HOUR = 3_600_000
HIGH = Severity.HIGH


def silence(*matchers: str, begins: int = 0) -> Silence:
    wanted = tuple(read_matcher(text) for text in matchers)
    return Silence(3, wanted, "elena", "known", START + begins, START + HOUR)


def work(*matchers: str) -> Maintenance:
    wanted = tuple(read_matcher(text) for text in matchers)
    return Maintenance("disks", wanted, starts_at=START, ends_at=START + HOUR)


BY_SILENCE = Mute(MuteKind.SILENCE, "3", START + HOUR, "elena: known")
BY_WORK = Mute(MuteKind.MAINTENANCE, "disks", START + HOUR)


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        pytest.param(MuteContext(), (), id="nothing mutes it"),
        pytest.param(
            MuteContext((silence("model=fraud"),)), (BY_SILENCE,), id="a silence of its model"
        ),
        pytest.param(MuteContext((silence("rule=slow"),)), (BY_SILENCE,), id="of its rule"),
        pytest.param(
            MuteContext((silence("owner=risk"),)), (BY_SILENCE,), id="of a label of its own"
        ),
        pytest.param(MuteContext((silence("severity=2"),)), (BY_SILENCE,), id="of its severity"),
        pytest.param(MuteContext((silence("model=churn"),)), (), id="a silence of another model"),
        pytest.param(
            MuteContext((silence("model=fraud", begins=1),)), (), id="one that is to come"
        ),
        pytest.param(
            MuteContext((replace(silence("model=fraud"), ended_at=START),)),
            (),
            id="one that was ended",
        ),
        pytest.param(MuteContext(maintenance=(work("owner=risk"),)), (BY_WORK,), id="planned work"),
        pytest.param(MuteContext(maintenance=(work("owner=x"),)), (), id="planned work elsewhere"),
        pytest.param(
            MuteContext(down_models={"fraud": DownAlert(8, HIGH)}),
            (Mute(MuteKind.NO_DATA, "fraud"),),
            id="its model says nothing, and another alert tells so",
        ),
        pytest.param(
            MuteContext(down_models={"fraud": DownAlert(7, HIGH)}),
            (),
            id="the alert that tells so is not muted",
        ),
        pytest.param(
            MuteContext(
                down_models={"features": DownAlert(9, HIGH)}, dependencies={"fraud": ("features",)}
            ),
            (Mute(MuteKind.DEPENDENCY, "features"),),
            id="what its model depends on is in trouble",
        ),
        pytest.param(
            MuteContext(
                down_models={"disk": DownAlert(9, HIGH)},
                dependencies={"fraud": ("features",), "features": ("disk", "net")},
            ),
            (Mute(MuteKind.DEPENDENCY, "disk"),),
            id="or what that depends on",
        ),
        pytest.param(
            MuteContext(
                down_models={"features": DownAlert(9, HIGH)}, dependencies={"churn": ("features",)}
            ),
            (),
            id="not what another depends on",
        ),
        pytest.param(
            MuteContext(
                down_models={"fraud": DownAlert(7, HIGH), "features": DownAlert(9, HIGH)},
                dependencies={"fraud": ("features",), "features": ("fraud",)},
            ),
            (),
            id="two that depend on each other never mute each other",
        ),
        pytest.param(
            MuteContext(suppressed={7: ("inhibited by NodeDown",)}),
            (Mute(MuteKind.SOURCE, "inhibited by NodeDown"),),
            id="its source keeps it quiet",
        ),
        pytest.param(
            MuteContext((silence("model=fraud"),), (work("model=fraud"),)),
            (BY_SILENCE, BY_WORK),
            id="every reason is named",
        ),
    ],
)
def test_an_alert_is_muted(world: MuteContext, expected: tuple[Mute, ...]) -> None:
    assert mute_reasons(ALERT, firing(), world, START) == expected


@pytest.mark.parametrize(
    ("matchers", "muted"),
    [
        pytest.param(("model=fraud",), False, id="a silence that names no severity holds no more"),
        pytest.param(("model=fraud", "severity=~1|2"), True, id="one that names it holds on"),
        pytest.param(("model=fraud", "severity=2"), False, id="one of another severity does not"),
    ],
)
def test_a_muted_alert_that_gets_worse_is_seen_again(
    matchers: tuple[str, ...], *, muted: bool
) -> None:
    worse = firing(Severity.CRITICAL, worse_at=START + 5)
    for world in (MuteContext((silence(*matchers),)), MuteContext(maintenance=(work(*matchers),))):
        assert bool(mute_reasons(ALERT, worse, world, START + 6)) is muted


def test_a_reason_names_what_it_is_about() -> None:
    assert BY_SILENCE.reason_words == "silence 3"
    assert Mute(MuteKind.DEPENDENCY, "disk").reason_words.endswith("is in trouble: disk")


def test_a_silence_that_began_after_the_rise_holds() -> None:
    worse = firing(Severity.CRITICAL, worse_at=START + 5)
    world = MuteContext((silence("model=fraud", begins=6),))
    assert mute_reasons(ALERT, worse, world, START + 6)


def test_no_label_of_an_alert_can_pretend_to_be_another_rule() -> None:
    liar = replace(ALERT, labels={"rule": "other", "severity": "4", "owner": "risk"})
    assert labels_of(liar, Severity.HIGH) == {
        "rule": "slow", "model": "fraud", "source": "watchdeck", "severity": "2", "owner": "risk",
    }  # fmt: skip


def test_what_a_silence_would_hide_is_counted_before_it_is_made() -> None:
    other = replace(raised(firing()), alert=replace(ALERT, id=8, model="churn"))
    both = (raised(firing()), other)
    assert matching_alerts((read_matcher("owner=risk"),), both) == both
    assert matching_alerts((read_matcher("model=churn"),), both) == (other,)


def test_a_model_is_in_trouble_while_an_alert_that_tells_so_fires_the_oldest_of_them() -> None:
    down, later = replace(ALERT, id=2, rule="down"), replace(ALERT, id=3, rule="down")
    pending = firing(condition=AlertState.PENDING)
    other = replace(ALERT, id=1, model="churn", rule="down")
    found = [(firing(), ALERT), (firing(), later), (firing(), down), (pending, other)]
    assert find_down_models(found, lambda alert: alert.rule == "down") == {
        "fraud": DownAlert(2, HIGH)
    }


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({}, [], id="it has data of its own"),
        pytest.param({"data": DataState.NONE}, ["fraud"], id="nobody has data"),
        pytest.param({"data": DataState.NONE, "severity": Severity.CRITICAL}, [], id="it is worse"),
    ],
)
def test_a_model_that_is_down_mutes_no_alert_that_another_system_knows_more_of(
    changed: dict[str, object], expected: list[str]
) -> None:
    foreign = replace(ALERT, source="eu")
    context = MuteContext(down_models={"fraud": DownAlert(8, HIGH)})
    mutes = mute_reasons(foreign, replace(firing(), **changed), context, START)
    assert [one.by for one in mutes] == expected
