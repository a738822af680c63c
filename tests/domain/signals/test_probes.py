"""What servers say of their models, from captured answers and from answers they document."""

from array import array

import pytest

from domain.kinds.captured_pages import BY_NAME, Played, answer, read
from watchdeck.domain.kinds.kind import Kind, ProbeResponse, ProbeSpec
from watchdeck.domain.metrics.scrape import ModelState
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.probes import (
    ProbeResult,
    add_page_states,
    probe_requests,
    read_responses,
)

OK = ProbeResponse(200)
READY_WORKER = b'[{"modelName":"m","workers":[{"status":"READY"},{"status":"UNLOADING"}]}]'


def asked(kind: str, model: str | None) -> tuple[str, ...]:
    return tuple(path for path, _ in probe_requests(BY_NAME[kind], model))


def test_an_unloaded_model_is_not_ready_while_its_server_is() -> None:
    folder = "mlserver-1.7.1"
    said = read_responses(
        BY_NAME["mlserver"],
        {
            "/v2/models/iris/ready": answer(folder, "unloaded-18080_v2_models_iris_ready"),
            "/v2/health/ready": answer(folder, "unloaded-18080_v2_health_ready"),
            "/v2": answer(folder, "after-18080_v2"),
        },
        "iris",
    )
    assert (said.state, said.server) == (ModelState.NOT_READY, ModelState.READY)
    assert said.version == "1.7.1"
    assert said.why == (
        "/v2/models/iris/ready answered 404 (Model iris not found); the server itself is ready"
    )


def test_a_torchserve_without_a_live_worker_is_not_ready_although_it_says_healthy() -> None:
    folder = "torchserve-0.12.0"
    said = read_responses(
        BY_NAME["torchserve"],
        {
            "/ping": answer(folder, "before-18150_ping"),
            "/models/iris": answer(folder, "before-18151_models_iris"),
        },
        "iris",
    )
    assert (said.state, said.server) == (ModelState.NOT_READY, ModelState.READY)
    assert said.why == "no worker of the model is READY; the server itself is ready"
    assert (said.version, said.replicas) == ("1.0", 0)
    assert said.signals == {"queue_depth": 16.0, "replicas_ready": 0.0, "replicas_wanted": 1.0}


@pytest.mark.parametrize(
    ("kind", "model", "answers", "state"),
    [
        pytest.param("vllm", None, {"/health": OK}, "ready", id="vLLM answers"),
        pytest.param(
            "vllm",
            None,
            {"/health": OK, "/is_sleeping": ProbeResponse(200, b'{"is_sleeping": true}')},
            "sleeping",
            id="vLLM in sleep mode",
        ),
        pytest.param(
            "vllm",
            None,
            {"/health": OK, "/is_sleeping": ProbeResponse(404, b'{"detail":"Not Found"}')},
            "ready",
            id="a vLLM that does not tell of sleep",
        ),
        pytest.param(
            "vllm", None, {"/health": ProbeResponse(503)}, "not_ready", id="a dead vLLM engine"
        ),
        pytest.param(
            "llamacpp",
            None,
            {"/health": ProbeResponse(503)},
            "loading",
            id="llama.cpp while it loads",
        ),
        pytest.param(
            "llamacpp",
            None,
            {
                "/health": ProbeResponse(200, b'{"status":"ok"}'),
                "/props": ProbeResponse(200, b'{"is_sleeping": true, "build_info": "b9080"}'),
            },
            "sleeping",
            id="llama.cpp asleep",
        ),
        pytest.param(
            "ollama",
            "llama3",
            {
                "/": ProbeResponse(200, b"Ollama is running"),
                "/api/ps": ProbeResponse(200, b'{"models":[]}'),
                "/api/tags": ProbeResponse(200, b'{"models":[{"name":"llama3:latest"}]}'),
            },
            "sleeping",
            id="an installed Ollama model that is not loaded",
        ),
        pytest.param(
            "ollama",
            "llama3",
            {
                "/api/ps": ProbeResponse(200, b'{"models":[{"name":"llama3:latest"}]}'),
                "/api/tags": ProbeResponse(200, b'{"models":[{"name":"llama3:latest"}]}'),
            },
            "ready",
            id="a loaded Ollama model",
        ),
        pytest.param(
            "ollama",
            "llama3",
            {
                "/": ProbeResponse(200, b"Ollama is running"),
                "/api/ps": ProbeResponse(200, b'{"models":[]}'),
                "/api/tags": ProbeResponse(200, b'{"models":[{"name":"other"}]}'),
            },
            "not_ready",
            id="an Ollama model that is not installed",
        ),
        pytest.param(
            "ollama",
            None,
            {"/": ProbeResponse(200, b"Ollama is running")},
            "ready",
            id="just an Ollama",
        ),
        pytest.param(
            "kserve",
            "iris",
            {"/v1/models/iris": ProbeResponse(200, b'{"name":"iris","ready":"True"}')},
            "ready",
            id="KServe says it as text",
        ),
        pytest.param(
            "kserve",
            "iris",
            {"/v1/models/iris": ProbeResponse(503, b'{"name":"iris","ready":false}')},
            "not_ready",
            id="a KServe model that is not loaded",
        ),
        pytest.param(
            "tf_serving",
            "iris",
            {
                "/v1/models/iris": ProbeResponse(
                    200, b'{"model_version_status":[{"version":"2","state":"LOADING"}]}'
                )
            },
            "loading",
            id="TensorFlow Serving while it loads",
        ),
        pytest.param(
            "tf_serving",
            "iris",
            {
                "/v1/models/iris": ProbeResponse(
                    200, b'{"model_version_status":[{"state":"END"},{"state":"AVAILABLE"}]}'
                )
            },
            "ready",
            id="an old version has ended beside a new one",
        ),
        pytest.param(
            "torchserve",
            "m",
            {
                "/ping": ProbeResponse(200, b'{"status":"Healthy"}'),
                "/models/m": ProbeResponse(200, READY_WORKER),
            },
            "ready",
            id="one live worker is enough",
        ),
        pytest.param(
            "torchserve",
            "m",
            {
                "/ping": ProbeResponse(200, b'{"status":"Healthy"}'),
                "/models/m": ProbeResponse(None),
            },
            "ready",
            id="without the management port only the server speaks",
        ),
        pytest.param(
            "triton",
            "iris",
            {"/v2/models/iris/ready": ProbeResponse(403)},
            "unknown",
            id="a refusal tells nothing",
        ),
        pytest.param("triton", "iris", {}, "unknown", id="no answer tells nothing"),
        pytest.param(
            "litserve", None, {"/health": ProbeResponse(200, b"ok")}, "ready", id="LitServe"
        ),
        pytest.param("mlflow", None, {"/ping": ProbeResponse(200, b"\n")}, "ready", id="MLflow"),
        pytest.param(
            "ray_serve",
            None,
            {"/-/healthz": ProbeResponse(200, b"success")},
            "ready",
            id="Ray Serve",
        ),
    ],
)
def test_the_state_of_a_model_follows_from_the_answers(
    kind: str, model: str | None, answers: dict[str, ProbeResponse], state: str
) -> None:
    assert read_responses(BY_NAME[kind], answers, model).state == state


def test_an_unknown_model_of_triton_is_told_from_its_server() -> None:
    folder = "triton-pytriton-0.7.0"
    answers = {
        "/v2/models/nope/ready": answer(folder, "after-18120_v2_models_nope_ready"),
        "/v2/health/ready": answer(folder, "after-18120_v2_health_ready"),
    }
    said = read_responses(BY_NAME["triton"], answers, "nope")
    assert said.state is ModelState.NOT_READY
    assert "Model version not ready" in said.why


def test_probes_about_a_model_are_left_out_when_no_model_is_named() -> None:
    assert asked("mlserver", None) == ("/v2/health/ready", "/v2")
    assert asked("mlserver", "a/b ?") == (
        "/v2/models/a%2Fb%20%3F/ready",
        "/v2/health/ready",
        "/v2",
    )
    assert "/api/ps" not in asked("ollama", None)


def test_hostile_words_of_a_server_are_cleaned_and_cut() -> None:
    body = b'{"error": "\\u001b]0;x\\u0007' + b"y" * 5_000 + b'"}'
    said = read_responses(BY_NAME["triton"], {"/v2/models/m/ready": ProbeResponse(400, body)}, "m")
    assert "\x1b" not in said.why
    assert len(said.why) <= 300


@pytest.mark.parametrize(
    ("body", "replicas"),
    [
        pytest.param(b'{"replicas": 3}', 3, id="a number"),
        pytest.param(b'{"replicas": "three"}', None, id="no number"),
        pytest.param(b'{"replicas": NaN}', None, id="not even a number"),
        pytest.param(b"<html>", None, id="no JSON"),
    ],
)
def test_a_replica_count_is_a_number_or_unknown(body: bytes, replicas: int | None) -> None:
    probe = ProbeSpec("/", replicas="$.replicas", version="$.replicas")
    said = read_responses(Kind("k", "K", probes=(probe,)), {"/": ProbeResponse(200, body)}, None)
    assert said.replicas == replicas


def test_a_number_that_an_answer_lacks_is_no_signal() -> None:
    probe = ProbeSpec("/", signals={"queue_depth": "$.waiting", "in_flight": "$.running"})
    kind = Kind("k", "K", probes=(probe,))
    said = read_responses(kind, {"/": ProbeResponse(200, b'{"waiting": 4}')}, None)
    assert said.signals == {"queue_depth": 4.0}


def test_an_error_without_words_is_told_by_its_status_alone() -> None:
    answers = {"/v2/models/m/ready": ProbeResponse(503, b'{"error": {}}')}
    assert read_responses(BY_NAME["triton"], answers, "m").why == "/v2/models/m/ready answered 503"


def test_a_plain_text_version_is_read() -> None:
    said = read_responses(
        BY_NAME["mlflow"], {"/version": answer("mlflow-3.17.2", "after-18110_version")}, None
    )
    assert said.version == "3.17.2"


SLEEPY = """# TYPE vllm:engine_sleep_state gauge
vllm:engine_sleep_state{engine="0",sleep_state="awake"} 0
vllm:engine_sleep_state{engine="0",sleep_state="discard_all"} 1
"""


@pytest.mark.parametrize(
    ("kind", "text", "said", "state"),
    [
        pytest.param("vllm", SLEEPY, ModelState.READY, "sleeping", id="a sleeping engine"),
        pytest.param(
            "vllm",
            SLEEPY.replace("} 0", "} 1"),
            ModelState.READY,
            "ready",
            id="an engine that is awake",
        ),
        pytest.param(
            "ray_serve",
            'ray_serve_application_status{application="a"} 5',
            ModelState.READY,
            "loading",
            id="Ray Serve deploys",
        ),
        pytest.param(
            "ray_serve",
            'ray_serve_application_status{application="a"} 2',
            ModelState.READY,
            "not_ready",
            id="Ray Serve calls the application unhealthy",
        ),
        pytest.param(
            "ray_serve",
            'ray_serve_application_status{application="a"} 6',
            ModelState.UNKNOWN,
            "ready",
            id="Ray Serve runs, and nothing else was asked",
        ),
        pytest.param(
            "ray_serve",
            'ray_serve_application_status{application="a"} 6\n'
            'ray_serve_autoscaling_target_replicas{application="a"} 0',
            ModelState.UNKNOWN,
            "scaled_to_zero",
            id="the autoscaler wants no replica",
        ),
        pytest.param(
            "litellm",
            "litellm_deployment_state 2",
            ModelState.READY,
            "not_ready",
            id="every deployment behind the proxy is out",
        ),
        pytest.param(
            "litellm", "litellm_x 1", ModelState.READY, "ready", id="a page that is silent"
        ),
    ],
)
def test_the_page_may_tell_the_state_too(
    kind: str, text: str, said: ModelState, state: str
) -> None:
    page = read(text)
    run = Played(BY_NAME[kind], Endpoint(kind, "http://model"))
    run.play(page)
    assert add_page_states(ProbeResult(said), run.plan, page[1]).state == state


def test_a_mapped_replica_count_of_zero_is_scaled_to_zero() -> None:
    page = read('kube_deployment_status_replicas{deployment="iris"} 0')
    user_map = {"replicas": 'kube_deployment_status_replicas{deployment="iris"}'}
    run = Played(BY_NAME["prometheus"], Endpoint("iris", "http://model", map=user_map))
    run.play(page)
    said = add_page_states(ProbeResult(), run.plan, page[1])
    assert (said.state, said.why) == (ModelState.SCALED_TO_ZERO, "0 replicas")
    assert add_page_states(ProbeResult(), run.plan, array("d", [2.0])).state is ModelState.UNKNOWN


def test_the_application_that_is_asked_about_is_the_one_that_counts() -> None:
    text = (
        'ray_serve_application_status{application="bad"} 2\n'
        'ray_serve_application_status{application="good"} 6'
    )
    page = read(text)
    run = Played(BY_NAME["ray_serve"], Endpoint("r", "http://model", model="good"))
    run.play(page)
    assert add_page_states(ProbeResult(), run.plan, page[1]).state is ModelState.READY
