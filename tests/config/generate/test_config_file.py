import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.config_files import write
from watchdeck.config.generate.config_file import render
from watchdeck.config.load import load
from watchdeck.config.reading.kinds import load_kinds
from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.values.text import clean

KINDS = {kind.name: kind for kind in load_kinds() if not kind.json_map}
"""The kinds that can be recognised; a JSON page means nothing without its owner."""


@dataclass(frozen=True, slots=True)
class Seen:
    kind: Kind | None = None
    metrics_url: str | None = None
    models: tuple[str, ...] = ()
    detail: str = ""


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


def test_what_can_be_measured_and_what_cannot_stands_above() -> None:
    text = render([("http://me:word@h:8080", Seen(KINDS["mlserver"], models=("a",)))])
    assert "# h:8080: MLServer.\n# Measurable: request_rate, error_ratio, latency_p50," in text
    assert "# Not measurable: queue_time (MLServer counts how many requests wait" in text


def test_a_server_with_several_models_tells_what_speaks_of_none_of_them() -> None:
    text = render([("http://h:8080", Seen(KINDS["mlserver"], models=("a", "b")))])
    assert "# Measurable: request_rate, error_ratio, latency_mean, queue_depth" in text
    assert "latency_p50, latency_p95, latency_p99 (MLServer's latency histogram carries" in text


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
    assert load(write(tmp_path, body)).endpoint[0].kind == kind
    assert not body.startswith("owner")


def test_a_page_that_no_kind_explains_gets_a_map_to_fill_in(tmp_path: Path) -> None:
    text = uncommented(render([("http://h:8080", Seen(KINDS["prometheus"]))]))
    [endpoint] = load(write(tmp_path, text.split('every = "60s" }\n')[1])).endpoint
    assert [*endpoint.map] == ["requests", "errors", "latency"]


def test_without_a_server_there_is_an_example_to_fill_in(tmp_path: Path) -> None:
    text = render([])
    assert load(write(tmp_path, text)) == Settings()
    settings = load(write(tmp_path, uncommented(text)))
    assert [endpoint.name for endpoint in settings.endpoint] == ["fraud", "features", "gpu-7"]
    assert settings.store is not None
    assert settings.retention == Settings().retention


@pytest.mark.parametrize("setting", Endpoint.__struct_fields__)
def test_every_setting_of_an_endpoint_is_shown(setting: str) -> None:
    line = rf"^#({setting} = |\[endpoint\.{setting}\]$)"
    assert re.search(line, render([]), re.MULTILINE)


HOSTS = st.from_regex(r"[a-z0-9.-]{1,30}", fullmatch=True).map(lambda host: f"http://{host}.x:1")
SEEN = st.builds(
    Seen,
    st.sampled_from([None, *KINDS.values()]),
    st.none() | HOSTS,
    st.lists(st.text(), max_size=4).map(tuple),
    st.text(),
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
