import pytest

from watchdeck.config.reading.kinds import load_kinds
from watchdeck.domain.kinds.kind import Kind, ProbeSpec, SignalSpec
from watchdeck.domain.metrics.signal import PROBE_SIGNALS, SIGNALS
from watchdeck.domain.signals.plan_builder import signal_sources


def said(spec: SignalSpec) -> str:
    return signal_sources(Kind("k", "K", signals=(spec,)), {})[spec.signal]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        pytest.param(
            SignalSpec("latency_p95", histogram=("h{a=~'b'}",), quantile=0.95),
            "95 % quantile of histogram h{a=~'b'}",
            id="a histogram",
        ),
        pytest.param(
            SignalSpec("latency_p99", summary=("s",), quantile=0.99),
            "99 % quantile of summary s",
            id="a summary",
        ),
        pytest.param(SignalSpec("request_rate", rate=("a", "b")), "rate of (a + b)", id="a rate"),
        pytest.param(
            SignalSpec("error_ratio", increase=("e",), minus=("m",), over=("a", "b")),
            "increase of e - m / (a + b)",
            id="a share",
        ),
        pytest.param(
            SignalSpec("queue_depth", gauge=("q",), aggregate="max"), "max of q", id="a gauge"
        ),
        pytest.param(
            SignalSpec("queue_time", mean=("t",)), "mean of t (its sum over its count)", id="a mean"
        ),
    ],
)
def test_a_source_is_said_in_words(spec: SignalSpec, words: str) -> None:
    assert said(spec) == words


def test_of_several_sources_all_are_said_in_their_order() -> None:
    specs = (SignalSpec("queue_depth", gauge=("a",)), SignalSpec("queue_depth", gauge=("b",)))
    assert (
        signal_sources(Kind("k", "K", signals=specs), {})["queue_depth"] == "sum of a, or sum of b"
    )


def test_what_a_user_mapped_stands_in_for_the_kinds_own() -> None:
    kind = Kind("k", "K", signals=(SignalSpec("latency_p95", gauge=("a",)),))
    found = signal_sources(kind, {"latency": "my_seconds / 1000"})
    assert found["latency_p95"] == "map.latency = my_seconds / 1000"
    assert found["latency_mean"] == "map.latency = my_seconds / 1000"


def test_what_a_probe_answers_names_its_question() -> None:
    kind = Kind("k", "K", probes=(ProbeSpec("/stats", signals={"queue_depth": "$.queue"}),))
    assert signal_sources(kind, {})["queue_depth"] == "$.queue of GET /stats"


@pytest.mark.parametrize("kind", load_kinds(), ids=lambda kind: kind.name)
def test_every_signal_of_every_kind_has_a_source_in_words(kind: Kind) -> None:
    found = signal_sources(kind, {})
    assert {*found} >= {spec.signal for spec in kind.signals} | {*PROBE_SIGNALS}
    assert {*found} <= {*SIGNALS}
    assert all(found.values())
