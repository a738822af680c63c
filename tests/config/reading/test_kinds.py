from pathlib import Path

import pytest

from watchdeck.config.reading.kinds import PACKAGED, load_kinds
from watchdeck.errors import ConfigError

GOOD = """
title = "Mine"
[[recognise]]
any_names = ["mine_*"]
[[signals]]
signal = "request_rate"
rate = ["mine_total"]
"""


def test_every_packaged_file_is_a_kind_and_the_generic_one_comes_last() -> None:
    kinds = load_kinds()
    assert {kind.name for kind in kinds} == {path.stem for path in PACKAGED.glob("*.toml")}
    assert len(kinds) == 20
    assert kinds[-1].name == "prometheus"
    assert [kind.order for kind in kinds] == sorted(kind.order for kind in kinds)


def test_a_new_server_needs_a_file_and_no_code(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    (kind,) = load_kinds(tmp_path)
    assert (kind.name, kind.title) == ("mine", "Mine")
    assert kind.signals[0].rate == ("mine_total",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("title = ", "a.toml: ", id="not TOML"),
        pytest.param("order = 3", "title", id="no title"),
        pytest.param('title = "A"\nordr = 3', "ordr is not a setting of a kind", id="misspelt"),
        pytest.param(
            GOOD.replace("rate =", "rat ="),
            "signals[0].rat is not a setting of a kind",
            id="misspelt inside",
        ),
        pytest.param(
            GOOD.replace("request_rate", "request_rat"),
            "signals[0] (request_rat): is not a signal",
            id="no such signal",
        ),
        pytest.param(
            GOOD + 'gauge = ["b"]', "needs exactly one of", id="two forms of one signal"
        ),
        pytest.param(
            GOOD.replace("mine_total", "mine_total{"), "after the name comes", id="broken selector"
        ),
        pytest.param(
            GOOD.replace("rate = ", "increase = "), "increase needs over", id="a ratio of what?"
        ),
        pytest.param(
            GOOD.replace("rate = ", "histogram = "), "a quantile between 0 and 1", id="no quantile"
        ),
        pytest.param(
            GOOD.replace("rate = ", "aggregate = 'median'\ngauge = "),
            "aggregate is one of",
            id="no such aggregate",
        ),
        pytest.param(GOOD + 'aggregate = "max"', "of a rate, sum or mean", id="highest rate"),
        pytest.param(
            GOOD + "needs = 'x{'", "after the name comes", id="broken selector of a needed series"
        ),
        pytest.param(
            GOOD + '[[probes]]\npath = "/a"\n[probes.signals]\nqueue_depth = "$.a of"',
            "after the path comes",
            id="neither a path nor an assertion",
        ),
        pytest.param(
            GOOD + '[[probes]]\npath = "ready"\nabout = "it"', "path begins with /", id="probe path"
        ),
        pytest.param(
            GOOD + '[[probes]]\npath = "/a"\nmeans = [{ state = "ready" }]',
            "a meaning needs a condition",
            id="a meaning of anything",
        ),
        pytest.param(
            GOOD + '[[probes]]\npath = "/a"\nmeans = [{ state = "fine", status = [200] }]',
            "Invalid enum value 'fine'",
            id="no such state",
        ),
        pytest.param(
            GOOD + '[[probes]]\npath = "/a"\nversion = "version"', "is not a path", id="broken path"
        ),
        pytest.param(
            GOOD + "[unmeasurable]\nspeed = 'no'", "unmeasurable.speed is not a signal", id="reason"
        ),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_its_name_and_place(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(ConfigError) as refused:
        load_kinds(tmp_path)
    assert str(refused.value).startswith("a.toml: ")
    assert said in str(refused.value)


def test_the_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("order = ")
    (tmp_path / "b.toml").write_text('title = "B"\nx = 1')
    with pytest.raises(ConfigError) as refused:
        load_kinds(tmp_path)
    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == ["a.toml", "b.toml"]
