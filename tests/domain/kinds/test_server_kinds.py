"""Kinds of general model servers and of machines: whose failure it is, and which model is ready."""

import math
from array import array

import pytest

from domain.kinds.captured_pages import (
    BY_NAME,
    KINDS,
    PAIRS,
    Played,
    Sheet,
    read,
    sheet,
)
from watchdeck.domain.kinds.detection import detect
from watchdeck.domain.kinds.kind import ProbeResponse
from watchdeck.domain.metrics.scrape import ModelState
from watchdeck.domain.metrics.series import Layout, SeriesType
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.plan_builder import build_plan, reason_not_measurable
from watchdeck.domain.signals.probes import (
    ProbeResult,
    add_page_states,
    probe_requests,
    read_responses,
)

STEPS = 20
EVERY = 3_000

MLSERVER = "mlserver-1.7.1-two-models"
KSERVE = "kserve-0.21.0"
BENTOML = "bentoml-1.4.39-two-apis"
RAY = "ray_serve-2.60.0"


def between(first: Sheet, last: Sheet, share: float) -> Sheet:
    """The page after a share of the traffic between two pages; gauges are those of the last."""
    before = dict(zip(first[0].series, first[1], strict=True))
    values = [
        value
        if series.type is SeriesType.GAUGE
        else before.get(series, 0.0) + share * (value - before.get(series, 0.0))
        for series, value in zip(last[0].series, last[1], strict=True)
    ]
    return last[0], array("d", values)


def driven(kind: str, first: Sheet, last: Sheet, model: str | None = None) -> Played:
    """A minute of steady traffic, from the first to the last page, played to an endpoint."""
    run = Played(BY_NAME[kind], Endpoint("e", "http://e", model=model), EVERY)
    for step in range(STEPS + 1):
        run.play(between(first, last, step / STEPS))
    return run


def captured(folder: str, kind: str, model: str | None = None) -> Played:
    first, last = (sheet(f"{folder}/{name}.prom") for name in ("before", "after"))
    return driven(kind, first, last, model)


def signal(run: Played, name: str) -> float:
    return run.derived.values[run.plan.slots[name]]


def state(kind: str, answers: dict[str, ProbeResponse], model: str | None = None) -> ProbeResult:
    return read_responses(BY_NAME[kind], answers, model)


@pytest.mark.parametrize(
    ("folder", "kind", "model", "server", "client"),
    [
        pytest.param(MLSERVER, "mlserver", None, 6 / 80, 6 / 80, id="MLServer, both models"),
        pytest.param(MLSERVER, "mlserver", "alpha", 10 / 50, 6 / 80, id="one model of MLServer"),
        pytest.param(BENTOML, "bentoml", None, 6 / 80, 4 / 80, id="BentoML"),
        pytest.param(RAY, "ray_serve", "appa", 6 / 53, 7 / 53, id="an application of Ray Serve"),
        pytest.param(RAY, "ray_serve", "appb", 0.0, 0.0, id="the other, which never fails"),
        pytest.param(RAY, "ray_serve", None, 6 / 83, 7 / 83, id="Ray Serve, paths without a route"),
    ],
)
def test_failures_belong_to_the_server_or_to_the_client(
    folder: str, kind: str, model: str | None, server: float, client: float
) -> None:
    run = captured(folder, kind, model)
    assert signal(run, "error_ratio") == pytest.approx(server)
    assert signal(run, "client_error_ratio") == pytest.approx(client)


def test_the_refusals_of_several_models_are_figures_of_the_whole_mlserver() -> None:
    run = captured(MLSERVER, "mlserver", "alpha")
    assert "client_error_ratio" in run.plan.server_wide
    assert "in_flight" in run.plan.server_wide
    assert "error_ratio" not in run.plan.server_wide
    assert "that the model refused" in run.derived.remarks["error_ratio"]
    assert "error_ratio" not in captured(MLSERVER, "mlserver").derived.remarks


def test_mlserver_counts_requests_at_its_workers_which_is_not_a_queue() -> None:
    run = captured(MLSERVER, "mlserver")
    assert "queue_depth" in run.plan.not_measurable
    assert "those in work included" in reason_not_measurable(run.kind, "queue_depth")


def test_probes_of_mlserver_are_not_in_flight() -> None:
    page = read(
        "# TYPE rest_server_requests_in_progress gauge\n"
        'rest_server_requests_in_progress{method="GET"} 3\n'
        'rest_server_requests_in_progress{method="POST"} 2\n'
    )
    signals = Played(BY_NAME["mlserver"], Endpoint("e", "http://e")).play(page)
    assert signals["in_flight"] == 2.0


@pytest.mark.parametrize(
    ("model", "rate", "failed"),
    [
        pytest.param("a", 50, 10, id="one of two models"),
        pytest.param("b", 30, 0, id="the other"),
    ],
)
def test_models_of_kserve_are_told_apart_from_their_first_request(
    model: str, rate: int, failed: int
) -> None:
    run = captured(KSERVE, "kserve", model)
    assert signal(run, "request_rate") * 60 == pytest.approx(rate)
    assert signal(run, "error_ratio") == pytest.approx(failed / rate)
    assert "client_error_ratio" in run.plan.not_measurable


KSERVE_FAILED = """
process_start_time_seconds 1795500000
# TYPE request_preprocess_seconds histogram
request_preprocess_seconds_count{{model_name="b"}} {count}
# TYPE request_predict_seconds histogram
request_predict_seconds_count{{model_name="b"}} {count}
"""


def test_a_model_of_kserve_that_never_predicted_anything_fails_always() -> None:
    first, last = (read(KSERVE_FAILED.format(count=count)) for count in (3, 33))
    assert signal(driven("kserve", first, last, "b"), "error_ratio") == 1.0


def test_ray_serve_counts_only_requests_of_an_application() -> None:
    run = captured(RAY, "ray_serve")
    assert signal(run, "request_rate") * 60 == pytest.approx(83)
    assert signal(run, "latency_mean") == pytest.approx((1855 + 365) / 1000 / 83, rel=0.01)
    assert run.plan.server_wide == ()


def test_the_replicas_of_ray_serve_are_wanted_and_ready() -> None:
    run = captured(RAY, "ray_serve", "appa")
    assert signal(run, "replicas_ready") == 2.0
    assert signal(run, "replicas_wanted") == 2.0
    deleted = sheet(f"{RAY}/deleted.prom")
    run = driven("ray_serve", deleted, deleted, "appa")
    assert signal(run, "replicas_ready") == 0.0
    assert signal(run, "replicas_wanted") == 2.0


def triton(ok: float, **reasons: float) -> str:
    lines = ["# TYPE nv_inference_request_success counter"]
    lines.append(f'nv_inference_request_success{{model="m",version="1"}} {ok}')
    lines.append("# TYPE nv_inference_request_failure counter")
    for reason, count in reasons.items():
        label = f',reason="{reason}"' if reason != "none" else ""
        lines.append(f'nv_inference_request_failure{{model="m",version="1"{label}}} {count}')
    return "\n".join(lines)


def test_what_clients_of_triton_gave_up_is_not_a_failed_prediction() -> None:
    run = driven("triton", read(triton(0, CANCELED=0)), read(triton(80, CANCELED=20)), "m")
    assert signal(run, "error_ratio") == 0.0
    assert signal(run, "client_error_ratio") == pytest.approx(0.2)
    assert signal(run, "request_rate") * 60 == pytest.approx(100)


def test_what_clients_of_triton_gave_up_is_not_in_the_whole_either() -> None:
    none = triton(0, CANCELED=0, BACKEND=0, REJECTED=0, OTHER=0)
    run = driven(
        "triton", read(none), read(triton(70, CANCELED=20, BACKEND=6, REJECTED=3, OTHER=1))
    )
    assert signal(run, "error_ratio") == pytest.approx(10 / 80)


def test_a_triton_without_reasons_does_not_tell_whose_failure_it_is() -> None:
    run = driven("triton", read(triton(0, none=0)), read(triton(80, none=20)))
    assert signal(run, "error_ratio") == pytest.approx(0.2)
    assert math.isnan(signal(run, "client_error_ratio"))
    assert "client_error_ratio" in run.plan.not_measurable


def test_a_batch_of_triton_is_inferences_over_executions() -> None:
    page = (
        "# TYPE nv_inference_count counter\nnv_inference_count{{model='m'}} {}\n"
        "# TYPE nv_inference_exec_count counter\nnv_inference_exec_count{{model='m'}} {}\n"
    ).replace("'", '"')
    run = driven("triton", read(page.format(0, 0)), read(page.format(120, 30)))
    assert signal(run, "batch_size") == pytest.approx(4.0)


def tf_serving(**statuses: float) -> Sheet:
    lines = ["# TYPE :tensorflow:serving:request_count counter"]
    for status, count in statuses.items():
        lines.append(
            f':tensorflow:serving:request_count{{model_name="m",status="{status}"}} {count}'
        )
    return read("\n".join(lines))


@pytest.mark.parametrize(
    "status",
    [
        "INTERNAL",
        "UNAVAILABLE",
        "RESOURCE_EXHAUSTED",
        "UNKNOWN",
        "DEADLINE_EXCEEDED",
        "FAILED_PRECONDITION",
        "DATA_LOSS",
    ],
)
def test_a_status_of_tensorflow_serving_that_is_the_servers(status: str) -> None:
    run = driven("tf_serving", tf_serving(OK=0, **{status: 0}), tf_serving(OK=90, **{status: 10}))
    assert signal(run, "error_ratio") == pytest.approx(0.1)
    assert signal(run, "client_error_ratio") == 0.0


@pytest.mark.parametrize(
    "status", ["INVALID_ARGUMENT", "NOT_FOUND", "OUT_OF_RANGE", "PERMISSION_DENIED", "CANCELLED"]
)
def test_a_status_of_tensorflow_serving_that_is_the_clients(status: str) -> None:
    run = driven("tf_serving", tf_serving(OK=0, **{status: 0}), tf_serving(OK=90, **{status: 10}))
    assert signal(run, "error_ratio") == 0.0
    assert signal(run, "client_error_ratio") == pytest.approx(0.1)


def bentoml(endpoint: str = "/a", **codes: float) -> str:
    lines = ["# TYPE bentoml_service_request_total counter"]
    for code, count in codes.items():
        labels = f'endpoint="{endpoint}",http_response_code="{code.removeprefix("s")}"'
        lines.append(f"bentoml_service_request_total{{{labels}}} {count}")
    return "\n".join(lines)


def test_a_bentoml_service_at_its_own_limit_fails_and_a_client_that_hung_up_does_not() -> None:
    first, last = (
        bentoml(s200=0, s429=0, s499=0, s422=0),
        bentoml(s200=60, s429=20, s499=15, s422=5),
    )
    run = driven("bentoml", read(first), read(last))
    assert signal(run, "error_ratio") == pytest.approx(20 / 85)
    assert signal(run, "client_error_ratio") == pytest.approx(20 / 100)


@pytest.mark.parametrize("path", ["/v2", "/info", "/-/routes", "/v1/models", "/health", "/"])
def test_our_own_questions_are_not_traffic_of_bentoml(path: str) -> None:
    run = driven("bentoml", read(bentoml(path, s404=0)), read(bentoml(path, s404=50)))
    assert math.isnan(signal(run, "request_rate"))


OK = ProbeResponse(200, b"")
SUCCESS = ProbeResponse(200, b"success")


@pytest.mark.parametrize(
    ("kind", "answers", "expected"),
    [
        pytest.param(
            "mlserver",
            {"/v2/models/m/ready": OK, "/v2/health/ready": OK},
            ModelState.READY,
            id="MLServer, loaded",
        ),
        pytest.param(
            "mlserver",
            {"/v2/models/m/ready": ProbeResponse(400), "/v2/health/ready": ProbeResponse(400)},
            ModelState.LOADING,
            id="MLServer, loading",
        ),
        pytest.param(
            "mlserver",
            {"/v2/models/m/ready": OK, "/v2/health/ready": ProbeResponse(400)},
            ModelState.READY,
            id="MLServer, ready while another model is loading",
        ),
        pytest.param(
            "mlserver",
            {"/v2/models/m/ready": ProbeResponse(404, b'{"error":"Model m not found"}')},
            ModelState.NOT_READY,
            id="MLServer, unloaded",
        ),
        pytest.param(
            "triton",
            {"/v2/models/m/ready": ProbeResponse(400), "/v2/health/ready": OK},
            ModelState.NOT_READY,
            id="Triton, a model that it does not have",
        ),
        pytest.param(
            "kserve",
            {"/v1/models/m": ProbeResponse(200, b'{"name":"m","ready":true}')},
            ModelState.READY,
            id="KServe, loaded",
        ),
        pytest.param(
            "kserve",
            {
                "/v1/models/m": ProbeResponse(
                    404, b'{"error":"Model with name m does not exist."}'
                ),
                "/v2/health/ready": ProbeResponse(200, b'{"ready":true}'),
            },
            ModelState.NOT_READY,
            id="KServe, unloaded",
        ),
        pytest.param(
            "ray_serve",
            {"/-/routes": ProbeResponse(200, b'{"/x":"m"}'), "/-/healthz": SUCCESS},
            ModelState.READY,
            id="Ray Serve, routed",
        ),
        pytest.param(
            "ray_serve",
            {"/-/routes": ProbeResponse(200, b'{"/x":"other"}'), "/-/healthz": SUCCESS},
            ModelState.NOT_READY,
            id="Ray Serve, an application that was never there",
        ),
        pytest.param(
            "ray_serve",
            {"/-/routes": ProbeResponse(200, b"{}"), "/-/healthz": SUCCESS},
            ModelState.NOT_READY,
            id="Ray Serve, deleted",
        ),
        pytest.param(
            "tf_serving",
            {"/v1/models/m": ProbeResponse(404, b'{"error":"Could not find any versions"}')},
            ModelState.NOT_READY,
            id="TensorFlow Serving, a model that it does not have",
        ),
    ],
)
def test_ready_means_that_this_model_answers(
    kind: str, answers: dict[str, ProbeResponse], expected: ModelState
) -> None:
    assert state(kind, answers, "m").state is expected


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        pytest.param(b'{"/a":"appa"}', ModelState.READY, id="an application"),
        pytest.param(b"{}", ModelState.NOT_READY, id="none"),
    ],
)
def test_a_ray_serve_without_applications_is_not_ready(routes: bytes, expected: ModelState) -> None:
    answers = {"/-/routes": ProbeResponse(200, routes), "/-/healthz": SUCCESS}
    assert state("ray_serve", answers).state is expected


def test_ray_serve_deletes_an_application_before_its_series_leave_the_page() -> None:
    layout, values = sheet(f"{RAY}/deleted.prom")
    answers = {"/-/routes": ProbeResponse(200, b"{}"), "/-/healthz": SUCCESS}
    for model in ("appa", None):
        plan = build_plan(BY_NAME["ray_serve"], Endpoint("e", "http://e", model=model), layout)
        found = add_page_states(state("ray_serve", answers, model), plan, values)
        assert found.state is ModelState.NOT_READY


def test_the_routes_of_ray_serve_are_asked_by_one_path_and_no_route_of_the_user() -> None:
    kind = BY_NAME["ray_serve"]
    paths = {path for path, _ in probe_requests(kind, "m")} | {
        place.path for place in kind.places if place.port is None
    }
    assert paths == {"/-/routes", "/-/healthz"}


def test_a_version_of_tensorflow_serving_that_loads_is_not_the_version_that_answers() -> None:
    body = (
        b'{"model_version_status": [{"version": "2", "state": "LOADING"},'
        b' {"version": "1", "state": "AVAILABLE"}]}'
    )
    found = state("tf_serving", {"/v1/models/m": ProbeResponse(200, body)}, "m")
    assert (found.state, found.version) == (ModelState.READY, "1")


def test_the_workers_of_torchserve_are_its_replicas() -> None:
    body = (
        b'[{"modelName": "m", "modelVersion": "1.0", "minWorkers": 2, "workers":'
        b' [{"status": "READY"}, {"status": "UNLOADING"}],'
        b' "jobQueueStatus": {"pendingRequests": 3}}]'
    )
    found = state("torchserve", {"/models/m": ProbeResponse(200, body)}, "m")
    assert found.signals == {"queue_depth": 3.0, "replicas_ready": 1.0, "replicas_wanted": 2.0}
    gone = state("torchserve", {"/models/m": ProbeResponse(404, b'{"code": 404}')}, "m")
    assert (gone.state, gone.signals) == (ModelState.NOT_READY, {})


def test_kserve_is_known_before_its_first_request() -> None:
    idle = sheet(f"{KSERVE}/before.prom")[0].series
    answers = {"/v2": ProbeResponse(200, b'{"name":"kserve","version":"0.21.0"}')}
    assert detect(KINDS, idle, answers) is BY_NAME["kserve"]
    found = read_responses(BY_NAME["kserve"], answers, None)
    assert found.version == "0.21.0"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        pytest.param(f"{MLSERVER}/before.prom", "mlserver", id="MLServer"),
        pytest.param(f"{BENTOML}/before.prom", "bentoml", id="BentoML"),
        pytest.param(f"{RAY}/deleted.prom", "ray_serve", id="Ray Serve without applications"),
    ],
)
def test_a_page_without_traffic_is_known(path: str, kind: str) -> None:
    assert detect(KINDS, sheet(path)[0].series, {}) is BY_NAME[kind]


def test_a_litserve_without_a_page_is_complete() -> None:
    assert BY_NAME["litserve"].optional_page
    assert not [kind.name for kind in KINDS if kind.optional_page and kind.helper]


def dcgm(**fields: tuple[float, ...]) -> Sheet:
    lines = []
    for name, values in fields.items():
        kind = "counter" if name.endswith("VIOLATION") else "gauge"
        lines.append(f"# TYPE DCGM_FI_DEV_{name} {kind}")
        lines += (f'DCGM_FI_DEV_{name}{{gpu="{gpu}"}} {one}' for gpu, one in enumerate(values))
    return read("\n".join(lines))


@pytest.mark.parametrize(
    "blank",
    [
        4_294_967_295,
        808_334_905,
        2_619,
        2_147_483_632,
        140_737_488_355_328,
        9_223_372_036_854_775_794,
    ],
)
def test_what_a_gpu_cannot_have_is_left_out_and_counted(blank: float) -> None:
    run = Played(BY_NAME["dcgm"], Endpoint("g", "http://g"))
    signals = run.play(dcgm(GPU_UTIL=(40, blank), GPU_TEMP=(61, blank)))
    assert signals["gpu_utilization"] == pytest.approx(0.4)
    assert signals["gpu_temperature"] == 61.0
    assert run.derived.out_of_range == 2


def test_a_gpu_tells_its_heat_and_its_errors() -> None:
    second = 1e9
    first = dcgm(THERMAL_VIOLATION=(0, 0), XID_ERRORS=(0, 0), ECC_DBE_VOL_TOTAL=(1, 0))
    last = dcgm(THERMAL_VIOLATION=(30 * second, 0), XID_ERRORS=(0, 79), ECC_DBE_VOL_TOTAL=(1, 2))
    run = driven("dcgm", first, last)
    assert signal(run, "gpu_throttle_ratio") == pytest.approx(0.25)
    assert signal(run, "gpu_xid") == 79.0
    assert signal(run, "gpu_ecc_errors") == 3.0


def test_older_names_of_the_dcgm_exporter_are_known() -> None:
    page = read("# TYPE dcgm_gpu_utilization gauge\ndcgm_gpu_utilization 35\n")
    assert detect(KINDS, page[0].series, {}) is BY_NAME["dcgm"]
    signals = Played(BY_NAME["dcgm"], Endpoint("g", "http://g")).play(page)
    assert signals["gpu_utilization"] == pytest.approx(0.35)


def test_a_machine_tells_its_processors_and_its_memory() -> None:
    first, last = map(sheet, PAIRS["node_exporter"])
    run = driven("node_exporter", first, last)
    assert signal(run, "cpu_utilization") == pytest.approx(60 / 240)
    assert signal(run, "memory_ratio") == pytest.approx(1 - 2.1 / 2.5)
    assert "memory_bytes" in run.plan.not_measurable


def test_time_of_guests_is_not_counted_twice() -> None:
    page = (
        "# TYPE node_cpu_seconds_total counter\n"
        'node_cpu_seconds_total{{mode="idle"}} {idle}\n'
        'node_cpu_seconds_total{{mode="user"}} {user}\n'
        'node_cpu_seconds_total{{mode="guest"}} {user}\n'
    )
    first, last = page.format(idle=0, user=0), page.format(idle=45, user=15)
    assert signal(driven("node_exporter", read(first), read(last)), "cpu_utilization") == 0.25


def test_the_memory_of_containers_is_not_counted_again_in_their_groups() -> None:
    run = Played(BY_NAME["cadvisor"], Endpoint("c", "http://c"))
    signals = run.play(sheet(PAIRS["cadvisor"][1]))
    assert signals["memory_bytes"] == 1.5e9
    assert signals["memory_ratio"] == pytest.approx(0.375)


def test_the_processor_time_of_a_container_is_a_share_of_its_limit() -> None:
    first, last = map(sheet, PAIRS["cadvisor"])
    assert signal(driven("cadvisor", first, last), "cpu_utilization") == pytest.approx(1.5 / 4)


@pytest.mark.parametrize(
    "limit",
    [
        pytest.param("", id="no series of a limit"),
        pytest.param('container_spec_cpu_quota{image="a"} 0\n', id="a limit of 0"),
    ],
)
def test_a_container_without_a_limit_has_no_share_of_it(limit: str) -> None:
    page = (
        "# TYPE container_cpu_usage_seconds_total counter\n"
        'container_cpu_usage_seconds_total{{image="a"}} {used}\n'
        "# TYPE container_spec_cpu_quota gauge\n"
        "{limit}"
        "# TYPE container_spec_cpu_period gauge\n"
        'container_spec_cpu_period{{image="a"}} 100000\n'
    )
    first, last = (read(page.format(used=used, limit=limit)) for used in (0, 90))
    assert math.isnan(signal(driven("cadvisor", first, last), "cpu_utilization"))


def test_helpers_are_pages_of_machines_and_devices_on_the_address_that_is_given() -> None:
    helpers = {kind.name: kind for kind in KINDS if kind.helper}
    assert set(helpers) == {"dcgm", "node_exporter", "cadvisor"}
    assert not [place for kind in helpers.values() for place in kind.places if place.port]
    assert not [
        spec for kind in helpers.values() for spec in kind.signals if "latency" in spec.signal
    ]


def test_an_empty_page_gives_no_figure_of_any_kind() -> None:
    for kind in KINDS:
        run = Played(kind, Endpoint("e", "http://e"))
        signals = run.play((Layout(), array("d")))
        known = {name for name, value in signals.items() if not math.isnan(value)}
        assert known <= {"outcome", "up", "availability", "restarts", "signals_missing"}, kind.name
