import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.config_files import write
from domain.kinds.captured_pages import read, sheet
from watchdeck.config.generate.config_file import render
from watchdeck.config.load import load
from watchdeck.config.reading.kinds import load_kinds
from watchdeck.domain.kinds.detection import GENERIC
from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.series import Layout, Series, SeriesType
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.values.text import clean

KINDS = {kind.name: kind for kind in load_kinds() if not kind.json_map}
"""The kinds that can be recognised; a JSON page means nothing without its owner."""


@dataclass(frozen=True, slots=True)
class Page:
    layout: Layout
    values: Sequence[float]


def page(path: str) -> Page:
    """A page of tests/pages."""
    return Page(*sheet(path))


@dataclass(frozen=True, slots=True)
class Seen:
    kind: Kind | None = None
    metrics_url: str | None = None
    models: tuple[str, ...] = ()
    detail: str = ""
    page: Page | None = None


def endpoints(folder: Path, *found: tuple[str, Seen]) -> tuple[Endpoint, ...]:
    return load(write(folder, render(found), 0o600)).endpoint


def uncommented(text: str) -> str:
    """The text with every setting that it offers taken: prose has a blank after its sign."""
    return re.sub(r"^#(?! )", "", text, flags=re.MULTILINE)


def test_a_recognised_server_becomes_an_endpoint_of_its_model(tmp_path: Path) -> None:
    seen = Seen(KINDS["vllm"], "http://llm.internal:8000/metrics", ("org/Llama-3.1-8B",))
    assert endpoints(tmp_path, ("http://llm.internal:8000", seen)) == (
        Endpoint("Llama-3.1-8B", "http://llm.internal:8000", kind="vllm", model="org/Llama-3.1-8B"),
    )


@pytest.mark.parametrize(
    ("url", "page", "written"),
    [
        pytest.param("http://h:8080", "http://h:8082/metrics", None, id="the kind's own port"),
        pytest.param("http://h:8080", "http://h:8080/metrics", None, id="the serving port"),
        pytest.param("http://h:8080/a/", "http://h:8080/a/metrics", None, id="below a path"),
        pytest.param("http://h:9/own", "http://h:9/own", None, id="the url itself"),
        pytest.param(
            "http://h:8080", "http://h:9999/metrics", "http://h:9999/metrics", id="another port"
        ),
        pytest.param("http://h:80", "http://h/metrics", None, id="the usual port, unsaid"),
        pytest.param(
            "http://h:8080", "http://other:8082/metrics", "http://other:8082/metrics", id="a host"
        ),
    ],
)
def test_the_page_s_address_is_written_where_the_kind_does_not_know_it(
    tmp_path: Path, url: str, page: str, written: str | None
) -> None:
    [endpoint] = endpoints(tmp_path, (url, Seen(KINDS["mlserver"], page)))
    assert endpoint.metrics_url == written


@pytest.mark.parametrize(
    ("found", "names"),
    [
        pytest.param(
            [("http://fraud.internal:1", Seen(KINDS["bentoml"]))], ["fraud"], id="the host's name"
        ),
        pytest.param(
            [("http://10.0.0.7:1", Seen(KINDS["bentoml"]))], ["bentoml"], id="an address has none"
        ),
        pytest.param([("http://localhost:1", Seen())], ["model"], id="nothing is known"),
        pytest.param(
            [("http://a:1", Seen(models=("m", "n"))), ("http://b:1", Seen(models=("m",)))],
            ["m", "n", "m-b"],
            id="one model on two hosts",
        ),
        pytest.param(
            [(f"http://localhost:{port}", Seen()) for port in (1, 2, 3)],
            ["model", "model-2", "model-3"],
            id="nothing tells them apart",
        ),
    ],
)
def test_names_come_from_models_and_hosts_and_are_unique(
    tmp_path: Path, found: list[tuple[str, Seen]], names: list[str]
) -> None:
    assert [endpoint.name for endpoint in endpoints(tmp_path, *found)] == names


MLSERVER = page("mlserver-1.7.1/after-18082_metrics.body")
TWO_MODELS = Page(
    *read(
        """# TYPE model_infer_request_success counter
model_infer_request_success_total{model="a",version="1"} 9
model_infer_request_success_total{model="b",version="1"} 4
# TYPE rest_server_requests counter
rest_server_requests_total{path="/v2/models/{model_name}/infer",status_code="200"} 13
# TYPE rest_server_request_duration_seconds histogram
rest_server_request_duration_seconds_bucket{path="/v2/models/{model_name}/infer",le="0.1"} 13
rest_server_request_duration_seconds_bucket{path="/v2/models/{model_name}/infer",le="+Inf"} 13
rest_server_request_duration_seconds_count{path="/v2/models/{model_name}/infer"} 13
rest_server_request_duration_seconds_sum{path="/v2/models/{model_name}/infer"} 0.6
"""
    )
)


def test_what_the_page_gives_stands_above_with_its_units() -> None:
    seen = Seen(KINDS["mlserver"], models=("iris",), page=MLSERVER)
    text = unwrapped(render([("http://me:word@h:8080", seen)]))
    assert "h:8080: MLServer." in text
    assert "Its page gives: request_rate 200 counted so far, a rate after a few pages;" in text
    assert "error_ratio 5 % of 200 since its start" in text
    assert "latency_p95 9.35 ms (5 ms to 10 ms) since its start" in text
    assert "Not measurable: queue_time (MLServer" in text
    assert "An SLO can be judged on availability, error_ratio, latency_p95 (at the bounds" in text


def unwrapped(text: str) -> str:
    """The text with the lines of a comment joined."""
    return text.replace("\n# ", " ")


def test_a_page_that_was_not_found_has_no_figures_and_its_usual_port_is_named() -> None:
    text = unwrapped(render([("http://h:8080", Seen(KINDS["mlserver"]))]))
    assert "Its page gives" not in text
    assert "MLServer has its metrics page usually on port 8082 at /metrics" in text
    assert 'write metrics_url = "http://h:8082/metrics"' in text


def test_figures_of_the_whole_server_are_marked_and_no_objective_of_a_model() -> None:
    seen = Seen(KINDS["mlserver"], models=("a", "b"), page=TWO_MODELS)
    text = unwrapped(render([("http://h:8080", seen)]))
    assert "request_rate 9 counted so far" in text
    assert "request_rate 4 counted so far" in text
    assert "latency_p95 95 ms (0 ms to 100 ms) since its start (of the whole server)" in text
    assert "An SLO can be judged on availability, error_ratio." in text


def test_a_page_of_a_machine_has_no_model_and_no_objectives(tmp_path: Path) -> None:
    seen = Seen(KINDS["dcgm"], models=("a",), page=page("dcgm/scrape1.prom"))
    text = unwrapped(render([("http://h:9400", seen)]))
    assert "Its page gives: gpu_utilization" in text
    assert "An SLO" not in text
    [endpoint] = endpoints(tmp_path, ("http://h:9400", seen))
    assert (endpoint.kind, endpoint.model) == ("dcgm", None)


def test_a_page_of_no_known_kind_proves_no_kind(tmp_path: Path) -> None:
    found = ("http://h:8080", Seen(KINDS["prometheus"], page=page("python_only/scrape1.prom")))
    assert "The kind is not written" in unwrapped(render([found]))
    assert endpoints(tmp_path, found)[0].kind == "auto"


def test_a_figure_to_be_read_with_care_says_why() -> None:
    seen = Seen(KINDS["kserve"], models=("iris",), page=page("kserve/scrape2.prom"))
    text = unwrapped(render([("http://h:8080", seen)]))
    assert "error_ratio 3.33 % of 300 since its start" in text
    assert "With care: error_ratio (counts requests that the model refused, too" in text


@pytest.mark.parametrize(
    ("kind", "path", "maps"),
    [
        pytest.param("llamacpp", "llamacpp/scrape2.prom", 0, id="a kind with its own series"),
        pytest.param("prometheus", "python_only/scrape1.prom", 1, id="any page"),
        pytest.param("litserve", None, 0, id="a server without its optional page"),
    ],
)
def test_a_map_is_offered_where_the_page_is_the_applications(
    kind: str, path: str | None, maps: int
) -> None:
    seen = Seen(KINDS[kind], page=page(path) if path else None)
    blocks = render([("http://h:8080", seen)]).split("[[endpoint]]")
    assert blocks[-1].split("# Whose alerts")[0].count("#[endpoint.map]") == maps


def test_a_map_is_proposed_from_the_series_of_the_page(tmp_path: Path) -> None:
    seen = Seen(KINDS["litserve"], page=page("litserve-0.2.19/after-18090_metrics_.body"))
    text = uncommented(render([("http://h:8080", seen)]))
    [endpoint] = load(write(tmp_path, text.split('every = "60s" }\n')[1])).endpoint
    assert endpoint.map == {
        "requests": "request_processing_seconds_count",
        "latency": "request_processing_seconds",
    }


def test_a_server_that_did_not_answer_is_written_with_the_reason(tmp_path: Path) -> None:
    found = ("http://h:8080", Seen(detail="/metrics: the connection was refused"))
    assert "was recognised. /metrics: the connection was refused" in render([found])
    assert endpoints(tmp_path, found) == (Endpoint("h", "http://h:8080"),)


def test_many_models_are_listed_and_not_all_become_endpoints(tmp_path: Path) -> None:
    found = ("http://h:11434", Seen(KINDS["ollama"], models=tuple(f"m{n}" for n in range(200))))
    assert len(endpoints(tmp_path, found)) == 20
    assert "It also speaks of m20, m21," in render([found])


@pytest.mark.parametrize("kind", KINDS)
def test_everything_that_is_offered_loads_when_it_is_taken(tmp_path: Path, kind: str) -> None:
    text = render([("http://h:8080", Seen(KINDS[kind]))])
    body = uncommented(text).split("# Every [[endpoint]]")[1].split("\n\n", 1)[1]
    assert load(write(tmp_path, body)).endpoint[0].kind == (kind if kind != GENERIC else "auto")
    assert not body.startswith("owner")


def test_a_page_that_no_kind_explains_gets_a_map_to_fill_in(tmp_path: Path) -> None:
    text = uncommented(render([("http://h:8080", Seen(KINDS["prometheus"]))]))
    [endpoint] = load(write(tmp_path, text.split('every = "60s" }\n')[1])).endpoint
    assert [*endpoint.map] == ["requests", "errors", "latency", "queue_time"]


def test_without_a_server_there_is_an_example_to_fill_in(tmp_path: Path) -> None:
    text = render([])
    assert load(write(tmp_path, text)) == Settings()
    settings = load(write(tmp_path, uncommented(text)))
    assert [endpoint.name for endpoint in settings.endpoint] == [
        "fraud",
        "features",
        "scores",
        "gpu-7",
    ]
    assert settings.store is not None
    assert settings.retention == Settings().retention


@pytest.mark.parametrize("setting", Endpoint.__struct_fields__)
def test_every_setting_of_an_endpoint_is_shown(setting: str) -> None:
    line = rf"^#({setting} = |\[endpoint\.{setting}\]$)"
    assert re.search(line, render([]), re.MULTILINE)


HOSTS = st.from_regex(r"[a-z0-9.-]{1,30}", fullmatch=True).map(lambda host: f"http://{host}.x:1")
SERIES = st.builds(
    Series,
    st.text(min_size=1) | st.sampled_from(["predictions_total", "call_ms_bucket", 'a"\n[x]']),
    st.sampled_from([(), (("le", "1"),), (("model", "m\n"),), (("status", "500"),)]),
    st.sampled_from(SeriesType),
)
PAGES = st.lists(SERIES, max_size=6, unique=True).map(
    lambda series: Page(Layout(tuple(series)), array("d", [1.0] * len(series)))
)
SEEN = st.builds(
    Seen,
    st.sampled_from([None, *KINDS.values()]),
    st.none() | HOSTS,
    st.lists(st.text(), max_size=4).map(tuple),
    st.text(),
    st.none() | PAGES,
)


@given(st.lists(st.tuples(HOSTS, SEEN), max_size=4))
def test_whatever_servers_say_the_text_is_clean_and_loads(
    tmp_path_factory: pytest.TempPathFactory, found: list[tuple[str, Seen]]
) -> None:
    text = render(found)
    assert all(clean(line, len(line) + 1) == line for line in text.split("\n"))
    path = tmp_path_factory.getbasetemp() / "watchdeck.toml"
    path.write_text(text)
    assert len(load(path).endpoint) >= len(found)
