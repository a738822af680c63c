from msgspec.structs import replace

from console import boards
from watchdeck.console.lines.line import NO_VALUE, Role, width
from watchdeck.console.lines.list_position import ListPosition
from watchdeck.console.lines.table import Table, table_lines
from watchdeck.console.models.detail_lines import SIGNAL_COLUMNS, signal_rows, summary_lines
from watchdeck.domain.board.board import Health, Model, SignalValue
from watchdeck.domain.board.resource_sharing import ResourceUsers, SharedResource
from watchdeck.domain.kinds.kind import Kind, SignalSpec
from watchdeck.domain.metrics.scrape import Identity, Truncation
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.settings.endpoint import Resource
from watchdeck.domain.values.units import Unit

FRAUD, CHURN, *_ = boards.small_fleet()


def text(model: Model, cells: int = 80) -> list[str]:
    lines = summary_lines(model, boards.NOW, cells)
    assert all(width(str(line)) <= cells for line in lines)
    return [str(line) for line in lines]


def listed(model: Model, kind: Kind | None = None) -> dict[str, str]:
    rows = signal_rows(model, kind)
    table = Table(SIGNAL_COLUMNS, rows, tuple(row.signal.name for row in rows))
    lines = table_lines(table, ListPosition(), boards.NOW, 120, len(rows) + 1)[1:]
    return {row.signal.name: str(line).strip("▌ ") for row, line in zip(rows, lines, strict=True)}


def test_health_why_scrape_identity_and_place_stand_together() -> None:
    assert text(FRAUD) == [
        " ▲ CRITICAL  since 3m  latency_p95 412 ms > 400 ms",
        " scrape just now  outcome ok  model ready",
        " kind mlserver  version 1.6.0  started 3d ago  replicas 2",
        " http://10.0.0.7:8080/v2/models/fraud-detector  every 10s",
        " name there fraud-detector  owner risk  tier 1",
    ]


def test_a_failed_scrape_says_how_it_failed() -> None:
    assert text(CHURN)[:3] == [
        " ✖ DOWN  since 1m  failed scrapes in a row: refused",
        " scrape just now  outcome refused  connection refused by 10.0.0.7:8080",
        " failed in a row 7  model unknown",
    ]


def test_what_was_left_out_of_a_page_is_counted() -> None:
    left_out = Truncation(series=12, malformed=3, stale=5, out_of_range=7)
    cut = boards.model("x", seen=boards.latest("x", cut=left_out))
    lines = summary_lines(cut, boards.NOW, 120)
    assert "cut series 12  cut malformed 3  cut stale 5  cut out of range 7" in str(lines[1])
    counts = {span.role for span in lines[1].spans if span.text in ("12", "3", "5", "7")}
    assert counts == {Role.WARNING}


def test_what_is_not_known_of_a_server_is_a_dash() -> None:
    unknown = boards.model("x", seen=boards.latest("x", identity=Identity(), kind=None))
    expected = f"kind {NO_VALUE}  version {NO_VALUE}  started {NO_VALUE}  replicas {NO_VALUE}"
    assert expected in text(unknown)[2]


def test_a_model_that_was_never_scraped_says_so() -> None:
    new = Model(boards.facts("x"), Health.UNKNOWN, "no scrape yet", None, None)
    assert text(new)[:2] == [" ? UNKNOWN  no scrape yet", " not scraped yet"]
    assert signal_rows(new, None) == ()


def test_unverified_tls_stays_in_sight() -> None:
    insecure = replace(FRAUD, facts=replace(FRAUD.facts, insecure=True))
    assert "TLS NOT VERIFIED" in " ".join(text(insecure))


def test_every_signal_is_listed_with_unit_bounds_and_age() -> None:
    rows = listed(FRAUD)
    assert {*rows} == {*SIGNALS}
    assert rows["latency_p95"].split("  ")[0] == "latency_p95"
    assert "410 ms in 206-515 ms" in rows["latency_p95"]
    assert "<5s" in rows["latency_p95"]
    assert "95 % of the predictions were faster" in rows["latency_p95"]
    assert "1.21 GiB" in rows["memory_bytes"]


def test_what_cannot_be_measured_is_named_with_its_reason() -> None:
    reasons = {"gpu_utilization": "it has no GPU metrics"}
    waiting = SignalSpec("queue_depth", gauge=("waiting",))
    rows = listed(FRAUD, Kind("mlserver", "MLServer", signals=(waiting,), unmeasurable=reasons))
    assert f"{NO_VALUE} not measurable: it has no GPU metrics" in rows["gpu_utilization"]
    assert f"{NO_VALUE} not measurable " in rows["kv_cache_usage"]
    assert f"{NO_VALUE} no data" in rows["queue_depth"]


def test_signals_with_a_reading_come_first() -> None:
    order = list(listed(FRAUD))
    assert order[:3] == ["up", "ready", "availability"]
    assert order[-3:] == ["gpu_utilization", "ttft_p95", "kv_cache_usage"]


RARE = SignalValue(0.042, Unit.RATIO, window=1_200, events=24)
SHARED = SignalValue(12.0, Unit.PER_SECOND, server_wide=True)
HOT = SignalValue(71.0, Unit.CELSIUS, resource="gpu-node")


def test_a_value_says_its_window_its_scope_and_its_resource() -> None:
    known = {"error_ratio": RARE, "request_rate": SHARED, "gpu_temperature": HOT}
    rows = listed(boards.model("x", seen=boards.latest("x", signals=known)))
    assert "4.2 %, in 20m " in rows["error_ratio"]
    assert "12/s, server-wide " in rows["request_rate"]
    assert "71 °C, from gpu-node " in rows["gpu_temperature"]


def test_a_remark_says_why_a_value_is_unknown_or_in_doubt() -> None:
    remarks = {"queue_time": "its series are not on the page", "request_rate": "its counter stands"}
    known = {"request_rate": SignalValue(12.0, Unit.PER_SECOND)}
    rows = listed(boards.model("x", seen=boards.latest("x", signals=known, remarks=remarks)))
    assert f"{NO_VALUE} its series are not on the page " in rows["queue_time"]
    assert "12/s, in doubt " in rows["request_rate"]


def test_signals_of_other_kinds_of_server_are_not_listed() -> None:
    rows = listed(FRAUD, Kind("mlserver", "MLServer"))
    assert {"tokens_in_rate", "gpu_xid", "replicas_ready"}.isdisjoint(rows)
    assert {"up", "restarts", "memory_bytes", "kv_cache_usage"} <= {*rows}


def test_a_model_names_the_machines_that_it_uses_and_who_shares_them() -> None:
    seen = boards.facts("x", resources=(Resource("gpu-node", {"gpu": "0"}),))
    others = [replace(seen, name=name, resources=(Resource("gpu-node"),)) for name in "abcd"]
    shared = ResourceUsers([seen, *others]).shared_resources(seen)
    lines = summary_lines(boards.model("x"), boards.NOW, 120, shared=shared)
    assert "uses gpu-node (gpu=0), shared with a, b, c and 1 more" in str(lines[-1])


def test_a_machine_that_nobody_shares_is_named_alone() -> None:
    lines = summary_lines(FRAUD, boards.NOW, 120, shared=(SharedResource(Resource("node-7")),))
    assert str(lines[-1]).endswith("  uses node-7")
