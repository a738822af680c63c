import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kinds.captured_pages import BY_NAME, read, sheet
from watchdeck.domain.signals.custom_mapping import mapping_problems
from watchdeck.domain.signals.map_proposal import family_names, json_numbers, propose_map
from watchdeck.domain.values.json_assertion import read_path


def proposed(*series: str, types: str = "") -> dict[str, str]:
    return propose_map(read(types + "".join(f"{one} 1\n" for one in series))[0])


NAMES = ("predicted_tokens", "http_requests", "predictions", "errors")
COUNTERS = "".join(f"# TYPE {name} counter\n" for name in NAMES)


@pytest.mark.parametrize(
    ("series", "found"),
    [
        pytest.param(
            ['http_requests_total{path="/p",status="200"}'],
            {
                "requests": "http_requests_total",
                "errors": 'http_requests_total{status=~"5.."}',
            },
            id="a status",
        ),
        pytest.param(
            ["http_requests_total", "predictions_total"],
            {"requests": "predictions_total"},
            id="predictions before requests",
        ),
        pytest.param(
            ['predictions_total{result="ok"}', 'predictions_total{result="error"}'],
            {
                "requests": "predictions_total",
                "errors": 'predictions_total{result="error"}',
            },
            id="a result",
        ),
        pytest.param(
            ["predictions_total", "errors_total"],
            {"requests": "predictions_total", "errors": "errors_total"},
            id="a counter of errors",
        ),
        pytest.param(["errors_total"], {}, id="errors of what"),
        pytest.param(["predicted_tokens_total"], {}, id="tokens are no requests"),
        pytest.param(["process_cpu_seconds_total", "rows"], {}, id="nothing of requests"),
    ],
)
def test_the_counters_of_a_page_suggest_requests_and_errors(
    series: list[str], found: dict[str, str]
) -> None:
    assert proposed(*series, types=COUNTERS) == found


def test_a_histogram_of_a_time_suggests_latency_with_its_unit() -> None:
    types = "# TYPE call_duration_ms histogram\n# TYPE rows histogram\n"
    ends = ('_bucket{le="5"}', '_bucket{le="+Inf"}', "_sum", "_count")
    series = [f"{name}{end}" for name in ("rows", "call_duration_ms") for end in ends]
    assert proposed(*series, types=types) == {
        "requests": "call_duration_ms_count",
        "latency": "call_duration_ms ms",
    }


@pytest.mark.parametrize(
    "path", ["litserve-0.2.19/after-18090_metrics_.body", "python_only/scrape1.prom"]
)
def test_what_is_proposed_is_a_valid_map(path: str) -> None:
    found = propose_map(sheet(path)[0])
    assert mapping_problems(BY_NAME["prometheus"], found) == ()


def test_the_names_of_a_page_leave_out_its_runtime() -> None:
    layout, _ = read("# TYPE rows gauge\nrows 1\nprocess_open_fds 3\npython_info 1\n")
    assert family_names(layout) == ("rows",)


def test_the_numbers_of_a_json_page_are_listed_by_their_paths() -> None:
    document = {"a": {"p95_ms": 412, "ok": True}, "list": [{"n": 1}, "text"], "a b": 3, "c": None}
    assert json_numbers(document) == {"$.a.p95_ms": 412, "$.list[0].n": 1}
    assert len(json_numbers(list(range(100)))) == 3
    assert len(json_numbers({f"k{n}": n for n in range(100)})) == 12


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_every_path_that_is_listed_finds_its_number(document: object) -> None:
    for path, value in json_numbers(document).items():
        assert read_path(path).values(document) == [value]
