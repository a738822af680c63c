from array import array

import pytest
from msgspec.structs import replace

from domain.kinds.captured_pages import BY_NAME, PAIRS, sheet
from watchdeck.domain.kinds.kind import Kind, Rename, SignalSpec
from watchdeck.domain.metrics.series import Layout, Series, SeriesType
from watchdeck.domain.metrics.signal import signal_layout
from watchdeck.domain.settings.endpoint import Endpoint, Keep
from watchdeck.domain.signals.counter_window import CounterWindow
from watchdeck.domain.signals.plan_builder import build_plan, kind_signals

VLLM = BY_NAME["vllm"]
PAGE = sheet(PAIRS["vllm"][1])[0]


def histogram(name: str, *bounds: str, **labels: str) -> list[Series]:
    """The rows of one histogram."""
    kind = SeriesType.HISTOGRAM
    extra = tuple(labels.items())
    buckets = [
        Series(f"{name}_bucket", tuple(sorted((*extra, ("le", bound)))), kind) for bound in bounds
    ]
    ends = [Series(f"{name}_{end}", extra, kind) for end in ("sum", "count")]
    return [*buckets, *ends]


def endpoint(**settings: object) -> Endpoint:
    return Endpoint("e", "http://e", **settings)  # type: ignore[arg-type]


def test_endpoints_with_the_same_page_and_the_same_wishes_share_a_plan() -> None:
    plan = build_plan(VLLM, endpoint(), PAGE)
    assert build_plan(VLLM, Endpoint("other", "http://other"), PAGE) is plan
    assert build_plan(VLLM, endpoint(model="m"), PAGE) is not plan
    assert build_plan(VLLM, endpoint(), Layout(PAGE.series)) is not plan


def test_a_plan_goes_when_nobody_uses_it() -> None:
    import gc
    import weakref

    layout = Layout(PAGE.series[:20])
    gone = weakref.ref(build_plan(VLLM, endpoint(), layout))
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("keep", "names"),
    [
        pytest.param(
            Keep.NEEDED,
            {"vllm:num_requests_running", "vllm:kv_cache_usage_perc"},
            id="what signals need",
        ),
        pytest.param("vllm:prefix_*", {"vllm:prefix_cache_hits_created"}, id="one pattern"),
        pytest.param(
            ("vllm:prefix_*_created", "nothing*"),
            {"vllm:prefix_cache_hits_created", "vllm:num_requests_running"},
            id="patterns join what is needed",
        ),
    ],
)
def test_what_is_kept_follows_the_wish(keep: str | tuple[str, ...], names: set[str]) -> None:
    plan = build_plan(VLLM, endpoint(keep=keep), PAGE)
    kept = {series.name for series in plan.stored_layout.series}
    assert names <= kept
    assert "vllm:iteration_tokens_total_bucket" not in kept
    assert ("vllm:prefix_cache_hits_created" in kept) is (keep is not Keep.NEEDED)


def test_all_keeps_the_page_itself() -> None:
    plan = build_plan(VLLM, endpoint(keep="all"), PAGE)
    assert plan.stored is None
    assert plan.stored_layout is PAGE
    values = sheet(PAIRS["vllm"][1])[1]
    assert plan.stored_frame(values).values is values


def test_the_kept_values_stand_under_their_names() -> None:
    plan = build_plan(VLLM, endpoint(), PAGE)
    frame = plan.stored_frame(sheet(PAIRS["vllm"][1])[1])
    found = dict(zip((s.name for s in frame.layout.series), frame.values, strict=True))
    assert found["vllm:num_requests_running"] == 8.0


def test_a_kind_has_one_signal_layout_whatever_its_page_shows() -> None:
    layouts = {id(build_plan(VLLM, endpoint(), page).signal_layout) for page in (PAGE, Layout())}
    assert layouts == {id(signal_layout(kind_signals(VLLM, endpoint())))}


def test_the_first_spec_that_finds_its_series_is_taken() -> None:
    old = Layout(tuple(histogram("vllm:time_per_output_token_seconds", "0.1", "+Inf")))
    both = Layout((*old.series, *histogram("vllm:inter_token_latency_seconds", "0.1", "+Inf")))
    assert build_plan(VLLM, endpoint(), old).counters == (0, 1)
    assert build_plan(VLLM, endpoint(), both).counters == (4, 5)


LATENCY = Kind(
    "k", "K", signals=(SignalSpec("latency_p95", histogram=("took",), quantile=0.95),)
)  # fmt: skip


@pytest.mark.parametrize(
    ("series", "bounds"),
    [
        pytest.param(histogram("took", "1", "+Inf"), 2, id="one label set"),
        pytest.param(
            histogram("took", "1", "2", "+Inf", a="x") + histogram("took", "1", "5", "+Inf", a="y"),
            2,
            id="only bounds that all label sets have",
        ),
        pytest.param(histogram("took", "1", "2"), 3, id="the count stands in for +Inf"),
        pytest.param(histogram("took", "1.0", "1.00", "+Inf"), 2, id="one bound written twice"),
        pytest.param(histogram("took", "1", "x", "NaN", "+Inf"), 2, id="bounds that are none"),
        pytest.param(histogram("took", "+Inf"), 0, id="no finite bound"),
        pytest.param(histogram("took"), 0, id="no buckets at all"),
    ],
)
def test_a_histogram_is_read_by_the_bounds_it_has(series: list[Series], bounds: int) -> None:
    assert len(build_plan(LATENCY, endpoint(), Layout(tuple(series))).operands) == bounds


def test_a_name_that_ends_like_a_counter_is_a_histogram_when_the_page_says_so() -> None:
    kind = Kind("k", "K", signals=(SignalSpec("tokens_in_rate", rate=("tokens_total",)),))
    layout = Layout(tuple(histogram("tokens_total", "1", "+Inf")))
    plan = build_plan(kind, endpoint(), layout)
    assert [layout.series[place].name for place in plan.counters] == ["tokens_total_count"]


def test_missing_error_series_count_0_only_where_the_server_makes_them_late() -> None:
    specs = {
        late: SignalSpec("error_ratio", increase=("errors",), over=("hits",), late=late)
        for late in (True, False)
    }
    page = Layout((Series("hits", (), SeriesType.COUNTER),))
    for late, spec in specs.items():
        plan = build_plan(Kind("k", "K", signals=(spec,)), endpoint(), page)
        assert len(plan.increase_formulas) == late


def test_a_mean_is_not_made_of_a_sum_that_the_page_lacks() -> None:
    spec = SignalSpec("queue_time", increase=("waited_us",), over=("hits",), late=True)
    page = Layout((Series("hits", (), SeriesType.COUNTER),))
    assert not build_plan(Kind("k", "K", signals=(spec,)), endpoint(), page).increase_formulas


def test_a_spec_may_set_its_own_least_number_of_events() -> None:
    spec = SignalSpec("error_ratio", increase=("errors",), over=("hits",), minimum=1)
    names = ("hits", "errors", "process_start_time_seconds")
    page = Layout(tuple(Series(name) for name in names))
    plan, window = build_plan(Kind("k", "K", signals=(spec,)), endpoint(), page), CounterWindow(1)
    for at, values in ((0, [0.0, 0.0, 1.0]), (10_000, [4.0, 1.0, 1.0])):
        window.push(plan, at, values, 0)
    out = plan.blank_frame[:]
    plan.increase_formulas[0](window, out)
    assert out[plan.slots["error_ratio"]] == 0.25
    assert out[plan.slots["error_ratio.window"]] == 10
    assert out[plan.slots["error_ratio.events"]] == 4


def test_a_kind_without_a_page_needs_nothing() -> None:
    plan = build_plan(BY_NAME["ollama"], endpoint(), Layout())
    assert plan.stored is None
    assert (len(plan.stored_layout), plan.signals) == (0, ())
    assert plan.stored_frame(array("d")).values == array("d")


def test_what_the_server_has_only_not_shown_yet_is_measurable() -> None:
    plan = build_plan(BY_NAME["mlserver"], endpoint(), Layout())
    assert "error_ratio" not in plan.not_measurable
    assert "latency_p95" not in plan.not_measurable
    assert "memory_bytes" in plan.not_measurable
    assert "ttft_p95" not in plan.not_measurable
    assert "ttft_p95" in build_plan(BY_NAME["ollama"], endpoint(), Layout()).not_measurable


def made(*series: Series) -> Layout:
    return Layout(series)


def test_series_of_an_older_name_count_where_the_page_has_none_of_the_new_one() -> None:
    renames = (Rename("old:*", "new:*", "2.0"), Rename("was", "new:running", "3.0"))
    kind = Kind(
        "k",
        "K",
        renames=renames,
        signals=(
            SignalSpec("queue_depth", gauge=("new:queue",)),
            SignalSpec("in_flight", gauge=("new:running",)),
        ),
    )
    plan = build_plan(kind, endpoint(), made(Series("old:queue"), Series("was")))
    assert plan.present == {"queue_depth", "in_flight"}
    both = made(Series("old:queue"), Series("new:queue"), Series("was"))
    out = build_plan(kind, endpoint(), both).blank_frame[:]
    plan = build_plan(kind, endpoint(), both)
    for formula in plan.gauge_formulas:
        formula([1.0, 2.0, 3.0], out)
    assert (out[plan.slots["queue_depth"]], out[plan.slots["in_flight"]]) == (2.0, 3.0)


def test_parts_that_report_the_same_requests_count_once() -> None:
    kind = Kind(
        "k",
        "K",
        same_labels=("rank",),
        signals=(
            SignalSpec("in_flight", gauge=("running",)),
            SignalSpec("request_rate", rate=("requests",)),
        ),
    )
    layout = made(
        *(
            Series(name, (("engine", engine), ("rank", rank)))
            for name in ("running", "requests")
            for engine in "01"
            for rank in "0123"
        )
    )
    plan = build_plan(kind, endpoint(), layout)
    out = plan.blank_frame[:]
    plan.gauge_formulas[0]([5.0] * 4 + [7.0] * 4 + [0.0] * 8, out)
    assert out[plan.slots["in_flight"]] == 12.0
    assert len(plan.counters) == 2


MODELS = Kind(
    "k",
    "K",
    model_labels=("model", "model_group"),
    signals=(
        SignalSpec("request_rate", rate=("requests",)),
        SignalSpec("in_flight", gauge=("running",)),
        SignalSpec("queue_depth", gauge=("queue",)),
    ),
)


def test_a_figure_of_series_without_a_model_is_server_wide_among_several_models() -> None:
    a, b = (Series("requests", (("model", name),)) for name in "ab")
    group = Series("running", (("model_group", "a"),))
    plan = build_plan(MODELS, endpoint(model="a"), made(a, b, group, Series("queue")))
    assert plan.server_wide == ("queue_depth",)
    assert plan.present == {"request_rate", "in_flight", "queue_depth"}
    alone = build_plan(MODELS, endpoint(model="a"), made(a, group, Series("queue")))
    assert alone.server_wide == ()
    whole = build_plan(MODELS, endpoint(), made(a, b, Series("queue")))
    assert whole.server_wide == ()


@pytest.mark.parametrize(
    ("series", "remark"),
    [
        pytest.param(
            (Series("requests", (("model", "main"),)),),
            "the page tells of main; of mine from its first request on",
            id="another model",
        ),
        pytest.param((Series("other"),), "the page has no series of K", id="another server"),
        pytest.param((Series("queue"),), "its series are not on the page", id="not there yet"),
        pytest.param((), "its series are not on the page", id="an empty page"),
    ],
)
def test_a_signal_that_the_page_does_not_give_has_a_remark(
    series: tuple[Series, ...], remark: str
) -> None:
    plan = build_plan(MODELS, endpoint(model="mine"), Layout(series))
    assert plan.remarks["request_rate"] == remark


def test_a_page_that_names_every_model_lacks_the_one_that_it_does_not_name() -> None:
    series = Series("requests", (("model", "main"),))
    kind = replace(MODELS, names_idle_models=True)
    plan = build_plan(kind, endpoint(model="mine"), made(series))
    assert plan.remarks["request_rate"] == "the page tells of main, not of mine"


def test_a_label_that_all_counters_share_tells_the_process() -> None:
    one = made(*(Series("requests", (("code", code), ("pid", "7"))) for code in "45"))
    assert build_plan(MODELS, endpoint(), one).process_labels == ("7",)
    two = made(*(Series("requests", (("pid", pid),)) for pid in "78"))
    assert build_plan(MODELS, endpoint(), two).process_labels == ()
