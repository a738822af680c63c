"""Every kind is known by its own page and answers, and by nobody else's."""

import pytest

from domain.kinds.captured_pages import BY_NAME, GENERIC, KINDS, PAIRS, answer, sheet
from watchdeck.domain.kinds.detection import (
    ParsedResponse,
    detect,
    detection_paths,
    model_names,
    response_matches,
)
from watchdeck.domain.kinds.kind import Kind, ProbeMeaning, ProbeResponse
from watchdeck.domain.metrics.series import Series, SeriesType

MLFLOW = {
    f"/{path}": answer("mlflow-3.17.2", f"after-18110_{path}")
    for path in ("version", "ping", "health")
}
LITSERVE = {"/info": answer("litserve-0.2.19", "after-18090_info")}
ANSWERS = {
    "mlflow": MLFLOW,
    "litserve": LITSERVE,
    "mlserver": {"/v2": answer("mlserver-1.7.1", "after-18080_v2")},
    "kserve": {"/v2": ProbeResponse(200, b'{"name":"kserve","version":"0.21.0"}')},
    "triton": {"/v2": answer("triton-pytriton-0.7.0", "after-18120_v2")},
    "ollama": {"/": ProbeResponse(200, b"Ollama is running")},
    "ray_serve": {
        "/-/healthz": ProbeResponse(200, b"success"),
        "/-/routes": ProbeResponse(200, b"{}"),
    },
    "litellm": {"/health/readiness": ProbeResponse(200, b'{"litellm_version": "1.106.2"}')},
    "llamacpp": {"/props": ProbeResponse(200, b'{"default_generation_settings": {}}')},
}
"""What servers answer that have no page, or whose page is somewhere else."""

PAGES = [
    pytest.param(name, path, id=f"{name} by {path.split('/')[-1]}")
    for name, paths in PAIRS.items()
    if name != "litserve"
    for path in dict.fromkeys(paths)
]


@pytest.mark.parametrize(("name", "path"), PAGES)
def test_a_kind_is_known_by_its_page(name: str, path: str) -> None:
    found = detect(KINDS, sheet(path)[0].series, {})
    assert found is BY_NAME[name]


@pytest.mark.parametrize("name", ANSWERS)
def test_a_kind_is_known_by_its_answers(name: str) -> None:
    assert detect(KINDS, None, ANSWERS[name]) is BY_NAME[name]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_no_kind_claims_the_page_or_the_answers_of_another(kind: Kind) -> None:
    alone = [one for one in KINDS if one is kind]
    others = [path for name, paths in PAIRS.items() for path in paths if BY_NAME[name] is not kind]
    for path in (*others, *GENERIC):
        found = detect(alone, sheet(path)[0].series, {})
        assert found is None or found.name == "prometheus", path
    for name, answers in ANSWERS.items():
        if BY_NAME[name] is not kind:
            assert detect(alone, None, answers) is None, name


@pytest.mark.parametrize("path", GENERIC)
def test_a_page_of_no_model_server_is_only_the_generic_kind(path: str) -> None:
    assert detect(KINDS, sheet(path)[0].series, {}) is BY_NAME["prometheus"]


def test_an_application_page_of_litserve_is_known_by_the_info_answer() -> None:
    series = sheet(PAIRS["litserve"][1])[0].series
    assert detect(KINDS, series, {}) is BY_NAME["prometheus"]
    assert detect(KINDS, series, LITSERVE) is BY_NAME["litserve"]
    assert detect(KINDS, (), LITSERVE) is BY_NAME["litserve"]


def test_the_more_specific_of_two_families_on_one_page_is_taken() -> None:
    both = (*sheet(PAIRS["dcgm"][0])[0].series, *sheet(PAIRS["vllm"][0])[0].series)
    assert detect(KINDS, both, {}) is BY_NAME["vllm"]


@pytest.mark.parametrize(
    ("names", "answers"),
    [
        pytest.param(None, {}, id="nothing at all"),
        pytest.param((), {}, id="an empty page"),
        pytest.param(None, {"/v2": ProbeResponse(None)}, id="no answer"),
        pytest.param(None, {"/v2": ProbeResponse(200, b'{"name": "other"}')}, id="another name"),
        pytest.param(None, {"/v2": ProbeResponse(404, b'{"name": "triton"}')}, id="a refusal"),
        pytest.param(
            None, {"/": ProbeResponse(200, b"<p>Ollama is running</p>")}, id="a page about it"
        ),
        pytest.param(
            None, MLFLOW | {"/ping": ProbeResponse(200, b"pong")}, id="half of the evidence"
        ),
    ],
)
def test_what_is_not_proven_is_not_claimed(
    names: tuple[Series, ...] | None, answers: dict[str, ProbeResponse]
) -> None:
    assert detect(KINDS, names, answers) is None


@pytest.mark.parametrize(
    ("meaning", "holds"),
    [
        pytest.param(ProbeMeaning(header="x-ready"), True, id="a header that is there"),
        pytest.param(ProbeMeaning(header="x-gone"), False, id="a header that is not"),
        pytest.param(ProbeMeaning(matches=r"v\d+"), True, id="a text of a shape"),
        pytest.param(ProbeMeaning(matches=r"\d+"), False, id="a text of another shape"),
        pytest.param(ProbeMeaning(text="v2", status=(200,)), True, id="a text and a status"),
        pytest.param(ProbeMeaning(text="v1"), False, id="another text"),
        pytest.param(ProbeMeaning(status=(503,)), False, id="another status"),
        pytest.param(ProbeMeaning(json="$.a == 1"), False, id="no JSON at all"),
    ],
)
def test_an_answer_is_as_described_or_not(meaning: ProbeMeaning, *, holds: bool) -> None:
    response = ProbeResponse(200, b"v2\n", {"x-ready": "1"})
    assert response_matches(meaning, ParsedResponse(response)) is holds


def test_general_names_without_the_label_are_not_kserve() -> None:
    names = ("request_predict_seconds_count", "request_preprocess_seconds_count")
    series = [Series(name, (), SeriesType.HISTOGRAM) for name in names]
    assert detect(KINDS, series, {}) is BY_NAME["prometheus"]


def test_no_question_wakes_a_model_or_costs_a_token() -> None:
    asked = {probe.path for kind in KINDS for probe in kind.probes} | set(detection_paths(KINDS))
    dear = ("generate", "completion", "predict", "infer", "invocations", "/api/chat", "/api/show")
    assert not [path for path in asked for word in dear if word in path]
    assert "/health" not in {probe.path for probe in BY_NAME["sglang"].probes}
    assert "/health" not in {probe.path for probe in BY_NAME["litellm"].probes}


def test_the_models_of_a_server_are_listed_for_a_person_to_choose() -> None:
    page = sheet(PAIRS["triton"][1])[0].series
    assert model_names(BY_NAME["triton"], page, {}) == ("iris",)
    tags = {"/api/tags": ProbeResponse(200, b'{"models": [{"name": "b"}, {"name": "a\\u001b"}]}')}
    assert model_names(BY_NAME["ollama"], None, tags) == ("a^[", "b")
    assert model_names(BY_NAME["ollama"], None, {"/api/tags": ProbeResponse(200, b"<html>")}) == ()


def test_a_response_is_parsed_once() -> None:
    parsed = ParsedResponse(ProbeResponse(200, b'{"a": 1}'))
    assert parsed.documents[0] is parsed.documents[0]
    assert ParsedResponse(ProbeResponse(200, b"{")).documents == ()
    assert len(ParsedResponse(ProbeResponse(200, b"x" * 10_000)).text) == 4_096
