import pytest
from msgspec.structs import replace

from domain.alerts.lives import START
from watchdeck.domain.alerts.acknowledgement import MAX_DURATION, Refusal
from watchdeck.domain.alerts.silence import Silence, silence, unsilence
from watchdeck.domain.values.matcher import read_matcher

FRAUD = read_matcher("model=fraud")


def test_a_silence_says_whom_it_means_why_and_until_when() -> None:
    made = silence([FRAUD], "elena", " disks ", START, START + 5, until_resolved=True)
    assert made == Silence(0, (FRAUD,), "elena", "disks", START, START + 5, until_resolved=True)


@pytest.mark.parametrize(
    ("matchers", "reason", "lasts", "why"),
    [
        pytest.param([], "x", 5, "it would hide nearly every alert", id="whom it means"),
        pytest.param(["a=~.*"], "x", 5, "it would hide nearly every alert", id="not everybody"),
        pytest.param(["a=b"], " ", 5, "a silence needs a reason", id="why"),
        pytest.param(["a=b"], "x", None, "a silence needs an end", id="until when"),
        pytest.param(["a=b"], "x", 0, "must end later than it begins", id="not until now"),
        pytest.param(
            ["a=b"], "x", MAX_DURATION + 1, "a silence lasts 7d at most", id="not for ever"
        ),
    ],
)
def test_a_silence_must_say(matchers: list[str], reason: str, lasts: int | None, why: str) -> None:
    wanted = map(read_matcher, matchers)
    refused = silence(wanted, "max", reason, START, None if lasts is None else START + lasts)
    assert isinstance(refused, Refusal)
    assert why in refused.why


def test_a_silence_ends_before_its_time_once() -> None:
    made = Silence(1, (FRAUD,), "elena", "disks", START, START + 5)
    ended = unsilence(made, START + 2)
    assert ended == replace(made, ended_at=START + 2)
    assert isinstance(ended, Silence)
    assert not ended.is_active_at(START + 2)
    assert unsilence(ended, START + 3) == Refusal("it is over")
    assert unsilence(made, START + 5) == Refusal("it is over")
