import json
from pathlib import Path

import pytest

from cli.commands import run, run_beside
from servers.captured import captured, saying
from watchdeck.cli.setup.check import command
from watchdeck.config.rules import load_pack
from watchdeck.domain.values.text import clean

RULES = len(load_pack())
ALONE = "  channels:\n    none: alerts are shown on consoles alone\n"
NOTIFICATIONS = """
[intake]
token = { env = "KEY" }

[[alertmanager]]
name = "eu"
url = "http://127.0.0.1:9"

[[channel]]
name = "ops"
type = "webhook"
url = "https://ops"

[[channel]]
name = "phone"
type = "webhook"
url = "https://phone"
person = "anna"
kinds = ["page", "worse"]

[[rota]]
name = "night"
people = ["anna"]
zone = "Europe/Berlin"
to = ["ops"]

[[rota]]
name = "away"
calendar = "away.ics"

[[escalation]]
name = "critical"
again = "30m"

[[escalation.step]]
to = ["night"]

[[escalation.step]]
to = ["ops"]
after = "10m"

[[route]]
severity = [1]
match = ["owner=risk"]
hours = "18:00-08:00"
days = "mon-fri"
zone = "Europe/Berlin"
to = ["night"]
continue = true

[[route]]
escalation = "critical"
"""
AWAY = """BEGIN:VCALENDAR
BEGIN:VEVENT
SUMMARY:anna
DTSTART:20260105T090000Z
DTEND:20260105T100000Z
END:VEVENT
END:VCALENDAR
"""


def written(folder: Path, *endpoints: str) -> Path:
    path = folder / "watchdeck.toml"
    path.write_text("".join(f"[[endpoint]]\n{endpoint}\n" for endpoint in endpoints))
    return path


def named(name: str, url: str, more: str = "") -> str:
    return f'name = "{name}"\nurl = "{url}"\n{more}'


async def test_it_says_what_a_real_server_tells_and_what_not(tmp_path: Path) -> None:
    async with captured("bentoml-1.4.39", 18100) as server:
        config = written(tmp_path, named("iris", server.url()))
        ran = await run_beside(command, config=config)
        lines = ran.out.splitlines()
        assert lines[0] == f"{config}: 1 endpoint, {RULES} rules, no problems."
        assert lines[4] == f"iris  {server.url()}"
    assert lines[5].startswith("  answered in ")
    assert lines[6] == "  BentoML; the model is ready"
    measurable, missing = ran.out.split("  measurable:\n")[1].split("  not measurable:\n")
    figures = dict(line.split(maxsplit=1) for line in measurable.splitlines()[:-1])
    assert figures["request_rate"] == "200 counted so far, a rate after a few pages"
    assert figures["error_ratio"] == "5 % of 200 since its start"
    assert figures["latency_p95"] == "44.9 ms (25 ms to 50 ms) since its start"
    assert figures["in_flight"] == "0"
    assert "tls_days_left" not in measurable
    assert "    queue_depth: BentoML does not count waiting requests\n" in missing
    assert (ran.code, lines[-1]) == (0, "All were reached.")


async def test_each_request_is_told_with_its_answer(tmp_path: Path) -> None:
    async with captured("bentoml-1.4.39", 18100) as server:
        ran = await run_beside(command, config=written(tmp_path, named("iris", server.url("?k=9"))))
    [line] = [line for line in ran.out.splitlines() if line.startswith("  asked: ")]
    assert line.removeprefix("  asked: ").split(", ") == [
        *("/-/healthz 404", "/metrics 200", "/readyz 200"),
    ]
    asked = [path.partition("?")[0] for path in server.asked]
    assert asked == ["/-/healthz", "/metrics", "/readyz"]


async def checked(folder: Path, page: bytes, more: str) -> str:
    """What a check of a server that answers everything with one page says."""
    async with saying(page) as server:
        ran = await run_beside(command, config=written(folder, named("a", server.url(), more)))
    return " ".join(ran.out.split())


KSERVE = b"""# TYPE request_predict_seconds histogram
request_predict_seconds_bucket{le="1.0",model_name="llm"} 0
request_predict_seconds_bucket{le="10.0",model_name="llm"} 5
request_predict_seconds_bucket{le="+Inf",model_name="llm"} 30
request_predict_seconds_count{model_name="llm"} 30
request_predict_seconds_sum{model_name="llm"} 1200
"""


async def test_a_promise_above_the_last_bucket_is_told_beforehand(tmp_path: Path) -> None:
    more = 'kind = "kserve"\nmodel = "llm"\nslo = { latency_p95 = "15s", availability = "99%" }'
    said = await checked(tmp_path, KSERVE, more)
    why = "SLO 15 s is above the last bucket (10 s) and can never be judged by it"
    assert (
        f"latency_p95 15 s: {why}; only a latency_mean above the SLO proves that it is exceeded"
        in said
    )
    assert "availability 99 %: judged by whether the server answers, since nothing" in said
    assert said.endswith("All were reached. 1 objective cannot be judged.")


async def test_a_promise_inside_a_bucket_names_the_bounds_that_can_be_judged(
    tmp_path: Path,
) -> None:
    more = 'kind = "kserve"\nmodel = "llm"\nslo = { latency_p95 = "4s" }'
    said = await checked(tmp_path, KSERVE, more)
    assert "latency_p95 4 s: not judged while it is between 1 s and 10 s" in said
    assert "an SLO of 1 s or 10 s always is" in said
    assert said.endswith("All were reached.")


async def test_a_promise_on_what_a_kind_never_tells_is_named(tmp_path: Path) -> None:
    more = 'slo = { error_ratio = "1%", latency_p95 = "1s" }'
    async with captured("mlflow-3.17.2", 18110) as server:
        ran = await run_beside(command, config=written(tmp_path, named("a", server.url(), more)))
    assert "error_ratio 1 %: can never be judged: MLflow's model server has no met" in ran.out
    assert ran.out.endswith("2 objectives cannot be judged.\n")


async def test_a_rule_that_can_never_be_judged_is_told_beforehand(tmp_path: Path) -> None:
    rules = "".join(
        f'[[rule]]\nname = "{name}"\nwhen = "{when}"\nseverity = 3\n'
        for name, when in {
            "slow": "latency_p95 > 15s for 5m",
            "hot": "gpu_utilization > 90% for 5m",
            "fast": "latency_p95 < 15s for 5m",
            "mean": "latency_mean > 15s for 5m",
        }.items()
    )
    said = await checked(tmp_path, KSERVE, f'kind = "kserve"\nmodel = "llm"\n{rules}')
    assert "slow, latency_p95 15 s: limit 15 s is above the last bucket (10 s)" in said
    assert "hot, gpu_utilization 90 %: can never be judged: " in said
    assert "fast," not in said
    assert "mean," not in said


async def test_a_promise_without_a_page_is_never_one_that_can_be_judged(tmp_path: Path) -> None:
    more = 'kind = "mlserver"\nmodel = "iris"\nslo = { error_ratio = "1%", availability = "99%" }'
    async with captured("mlserver-1.7.1", 18080) as server:
        ran = await run_beside(command, config=written(tmp_path, named("a", server.url(), more)))
    assert "error_ratio 1 %: cannot be judged now: its metrics page was not read" in ran.out
    assert "availability 99 %: can be judged" in ran.out
    more = 'slo = { latency_p95 = "1s" }'
    config = written(tmp_path, named("a", "http://127.0.0.1:1", more))
    ran = await run_beside(command, config=config)
    assert "cannot be judged now: the kind of server is not known" in ran.out


VLLM = b"""# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{model_name="main"} 90
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{model_name="main"} 9
"""


async def test_the_models_of_the_page_are_named_when_the_endpoints_is_not_one(
    tmp_path: Path,
) -> None:
    more = 'kind = "vllm"\nmodel = "alias"\nslo = { latency_p95 = "2s" }'
    said = await checked(tmp_path, VLLM, more)
    assert "the page tells of main, not of alias: write the name of the page as model" in said
    assert "latency_p95 2 s: cannot be judged now: the page tells of main, not of alias" in said
    assert "queue_depth" not in said.split("unknown now:")[0]


async def test_several_models_without_a_name_are_told(tmp_path: Path) -> None:
    other = VLLM + b'vllm:num_requests_running{model_name="small"} 1\n'
    said = await checked(tmp_path, other, 'kind = "vllm"')
    assert "the page tells of main, small: without model, its figures are those of all" in said


MLSERVER = b"""# TYPE model_infer_request_success counter
model_infer_request_success_total{model="a",version="1"} 9
model_infer_request_success_total{model="b",version="1"} 4
# TYPE rest_server_request_duration_seconds histogram
rest_server_request_duration_seconds_bucket{path="/v2/models/{model_name}/infer",le="0.1"} 13
rest_server_request_duration_seconds_bucket{path="/v2/models/{model_name}/infer",le="+Inf"} 13
rest_server_request_duration_seconds_count{path="/v2/models/{model_name}/infer"} 13
rest_server_request_duration_seconds_sum{path="/v2/models/{model_name}/infer"} 0.6
"""


async def test_a_figure_of_the_whole_server_is_marked_and_judges_no_promise(
    tmp_path: Path,
) -> None:
    more = 'kind = "mlserver"\nmodel = "a"\nslo = { latency_p95 = "1s" }'
    said = await checked(tmp_path, MLSERVER, more)
    assert "latency_p95 95 ms (0 ms to 100 ms) since its start, server-wide" in said
    assert "request_rate 9 counted so far, a rate after a few pages" in said
    assert "latency_p95 1 s: can never be judged: the figure also counts other models" in said


async def test_ready_is_not_measurable_when_nothing_tells_it(tmp_path: Path) -> None:
    async with captured("mlserver-1.7.1", 18082) as page:
        more = 'kind = "mlserver"\nmodel = "iris"'
        config = written(tmp_path, named("iris", page.url(), more))
        ran = await run_beside(command, "--json", config=config)
    [iris] = json.loads(ran.out)["endpoints"]
    assert iris["model_state"] == "unknown"
    assert "ready" not in iris["measurable"]
    assert iris["unknown"]["ready"] == iris["model_detail"]


async def test_a_page_that_is_not_found_is_looked_for_by_its_port(tmp_path: Path) -> None:
    async with captured("mlserver-1.7.1", 18080) as server:
        more = 'kind = "mlserver"\nmodel = "iris"'
        ran = await run_beside(command, config=written(tmp_path, named("a", server.url(), more)))
    said = " ".join(ran.out.split())
    assert "MLServer has its metrics page usually on port 8082 at /metrics" in said
    assert 'write metrics_url = "http://127.0.0.1:8082/metrics" with its address' in said
    assert " measurable:" not in said.replace("not measurable:", "")
    assert "unknown now: request_rate, error_ratio" in said


STATS = b"""{"total": 412, "latency": {"ms": {"p95": 412}}, "load_pct": 37, "wait": 14400,
"heap_mb": 512}"""
MAP = """kind = "json"
[endpoint.map]
requests = "$.total"
latency_p95 = "$.latency.ms.p95"
saturation = "$.load_pct"
queue_time = "$.wait"
memory_bytes = "$.heap_mb MB"
latency_p99 = "$.p99"
"""


async def test_each_value_of_a_map_is_told_with_its_unit_and_asked_about(tmp_path: Path) -> None:
    said = await checked(tmp_path, STATS, MAP)
    assert "requests = $.total: 412 counted so far" in said
    assert "latency_p95 = $.latency.ms.p95: 6m 52s" in said
    assert "memory_bytes = $.heap_mb: 488 MiB" in said
    assert "latency_p99 = $.p99: the page has no number there" in said
    unknown = said.split("unknown now:")[1].split("not measurable:")[0]
    assert "latency_p99, saturation: the page has no value now" in unknown
    assert 'map.latency_p95: $.latency.ms.p95 is read in s, and its name says ms: write "$' in said
    assert 'map.saturation: $.load_pct is read in ratio, and its name says %: write "$.lo' in said
    assert "map.queue_time: 4h is long for a request: write its unit behind it (ns, us," in said
    assert "map.memory_bytes" not in said
    assert "a map may read $.total (412), $.latency.ms.p95 (412), $.load_pct (37)" in said
    assert said.endswith("3 questions above.")


async def test_a_map_with_units_is_not_asked_about(tmp_path: Path) -> None:
    user_map = '{ latency_p95 = "$.latency.ms.p95 ms", saturation = "$.load_pct %" }'
    said = await checked(tmp_path, STATS, f'map = {user_map}\nkind = "json"')
    assert "latency_p95 = $.latency.ms.p95: 412 ms" in said
    assert "saturation = $.load_pct: 37 %" in said
    assert "questions" not in said


async def test_an_application_without_a_map_gets_one_of_its_own_series(tmp_path: Path) -> None:
    async with captured("litserve-0.2.19", 18090) as server:
        ran = await run_beside(command, config=written(tmp_path, named("a", server.url())))
    said = " ".join(ran.out.split())
    assert 'perhaps map = { requests = "request_processing_seconds_count", latency =' in said


async def test_a_page_of_a_machine_is_no_model_server(tmp_path: Path) -> None:
    page = b"# TYPE DCGM_FI_DEV_GPU_UTIL gauge\nDCGM_FI_DEV_GPU_UTIL 4294967295\n"
    said = await checked(tmp_path, page, 'kind = "dcgm"')
    assert "DCGM exporter: a page of a machine or device, not of a model server" in said
    assert "left out of its page: 1 sample outside the values that its unit can have" in said


async def test_an_unloaded_model_behind_a_ready_server_is_told(tmp_path: Path) -> None:
    async with (
        captured("mlserver-1.7.1", 18080, "unloaded") as server,
        captured("mlserver-1.7.1", 18082, "unloaded") as page,
    ):
        more = f'kind = "mlserver"\nmodel = "iris"\nmetrics_url = "{page.url("/metrics")}"'
        config = written(tmp_path, named("iris", server.url(), more))
        ran = await run_beside(command, config=config)
    assert "the model is not ready" in ran.out
    assert "the server itself is ready" in ran.out


async def test_one_that_fails_is_named_and_does_not_hide_the_others(tmp_path: Path) -> None:
    async with captured("bentoml-1.4.39", 18100) as server, saying(b"<html>") as other:
        config = written(
            tmp_path,
            named("gone", "http://127.0.0.1:1"),
            named("page", other.url()),
            named("iris", server.url()),
        )
        ran = await run_beside(command, config=config)
    assert ran.code == 1
    assert "  refused: /-/healthz: the connection was refused\n" in ran.out
    assert "  no metrics: /metrics: an HTML or XML page came" in ran.out
    assert ran.out.count("it answers, but not as a server that watchdeck knows") == 1
    assert "  BentoML; the model is ready\n" in ran.out
    assert ran.out.endswith("\n2 of 3 endpoints failed.\n")


async def test_a_server_that_wants_a_key_is_told_by_what_it_refused(tmp_path: Path) -> None:
    async with saying(b"no key", "401 Unauthorized") as server:
        ran = await run_beside(command, config=written(tmp_path, named("a", server.url())))
    said = " ".join(ran.out.split())
    assert "it wants a key for /-/healthz, /metrics" in said
    assert 'headers = { Authorization = { env = "KEY", prefix = "Bearer " } }' in said


async def test_programs_get_the_same_as_json(tmp_path: Path) -> None:
    async with captured("bentoml-1.4.39", 18100) as server:
        config = written(tmp_path, named("iris", server.url()), named("gone", "http://127.0.0.1:1"))
        ran = await run_beside(command, "--json", config=config)
    answer = json.loads(ran.out)
    iris, gone = answer["endpoints"]
    assert (answer["config"], answer["problems"]) == (str(config), [])
    assert (iris["kind"], iris["outcome"], iris["model_state"]) == ("bentoml", "ok", "ready")
    assert "request_rate" in iris["measurable"]
    assert iris["not_measurable"]["queue_depth"] == "BentoML does not count waiting requests"
    assert (gone["kind"], gone["outcome"], gone["measurable"]) == (None, "refused", [])
    assert ran.code == 1


async def test_a_secret_in_an_address_is_not_told(tmp_path: Path) -> None:
    config = written(tmp_path, named("a", "http://me:canary-77@127.0.0.1:1/?key=canary-78"))
    config.chmod(0o600)
    for args in ((), ("--json",)):
        ran = await run_beside(command, *args, config=config)
        assert "canary" not in ran.out + ran.err


async def test_hostile_answers_are_told_in_clean_words(tmp_path: Path) -> None:
    page = b'# TYPE a gauge\na{model="\x1b]0;owned\x07[/red]"} 1\n'
    async with saying(page) as server:
        ran = await run_beside(command, config=written(tmp_path, named("a", server.url())))
    assert all(clean(line, 10_000) == line for line in ran.out.splitlines())


def test_without_polling_nobody_is_asked(tmp_path: Path) -> None:
    config = written(tmp_path, named("a", "http://127.0.0.1:1"), named("b", "http://127.0.0.1:1"))
    ran = run(command, "--no-poll", config=config)
    assert (ran.code, ran.out) == (
        0,
        f"{config}: 2 endpoints, {RULES} rules, no problems.\n{ALONE}",
    )
    answer = json.loads(run(command, "--no-poll", "--json", config=config).out)
    assert answer.keys() >= {"config", "problems", "rules", "channels"}
    assert (answer["problems"], answer["rules"], answer["rotas"]) == ([], RULES, [])
    assert not {"endpoints", "cannot_be_told"} & answer.keys()


def test_a_configuration_with_nothing_to_do_says_how_to_get_endpoints(tmp_path: Path) -> None:
    ran = run(command, config=written(tmp_path))
    assert (ran.code, ran.out) == (1, "")
    assert "gives a collector nothing to do. Write [[endpoint]]" in ran.err
    document = json.loads(run(command, "--json", config=written(tmp_path)).out)
    [problem] = document["problems"]
    assert "watchdeck init URL" in problem["hint"]


def test_channels_routes_and_who_is_on_call_are_named(tmp_path: Path) -> None:
    config = written(tmp_path)
    config.write_text(NOTIFICATIONS)
    (tmp_path / "away.ics").write_text(AWAY)
    ran = run(command, "--no-poll", config=config)
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].startswith(f"{config}: 0 endpoints, {RULES} rules, no problems.")
    assert [line.strip() for line in lines[1:]] == [
        "alerts of others:",
        "intake at 127.0.0.1:9193",
        "Alertmanager eu, polled every 15s",
        "channels:",
        "ops: webhook",
        "phone: webhook, of anna, only page, worse",
        "routes:",
        "1. severity 1; owner=risk; 18:00-08:00 mon-fri Europe/Berlin: to night; later routes too",
        "2. every severity: escalation critical",
        "escalations:",
        "critical: night at once; ops after 10m; the last again every 30m",
        "on call:",
        "night: anna is on call now; weekly anna (Europe/Berlin), else to ops",
        "away: nobody is on call now; by its calendar (UTC)",
    ]


def test_channels_without_routes_are_told_to_get_every_page(tmp_path: Path) -> None:
    config = written(tmp_path)
    config.write_text('[[channel]]\nname = "a"\ntype = "webhook"\nurl = "https://h"\n')
    ran = run(command, "--no-poll", config=config)
    assert ran.out.splitlines()[-2:] == ["  routes:", "    none: every page goes to every channel"]


def test_all_problems_are_told_before_anybody_is_asked(tmp_path: Path) -> None:
    config = written(tmp_path, named("a", "http://h", "evry = 1\nevery = 10"))
    ran = run(command, config=config)
    assert (ran.code, ran.out) == (1, "")
    first, second = ran.err.splitlines()
    assert first == f"{config}: endpoint[0].evry is not a setting. Did you mean 'every'?"
    assert second.startswith(f"{config}: endpoint[0].every must be a duration such as")


def test_what_the_console_cannot_have_is_told_with_all_other_problems(tmp_path: Path) -> None:
    config = written(tmp_path, named("a", "http://h", "evry = 1"))
    config.write_text(f"""{config.read_text()}
[console]
theme = "drak"
layout = "fokus"
columns = ["name", "p59"]
filters = {{ "my own" = "p95>" }}
keys = {{ quti = "x", "theme.next" = "ctrl+a", "models.sort" = "v" }}
""")
    ran = run(command, config=config, env={"XDG_CONFIG_HOME": str(tmp_path)})
    keys = [line.removeprefix(f"{config}: ").split(" ")[0] for line in ran.err.splitlines()]
    assert keys == [
        "endpoint[0].evry",
        "console.theme",
        "console.keys.quti",
        'console.keys."theme.next"',
        'console.keys."models.sort"',
        "console.layout",
        "console.columns",
        'console.filters."my',
    ]
    assert ran.err.count("Did you mean") == 5


def test_a_console_that_was_set_in_full_is_no_problem(tmp_path: Path) -> None:
    config = written(tmp_path, named("a", "http://h"))
    config.write_text(f"""{config.read_text()}
[console]
theme = "light"
glyphs = "block"
layout = "focus"
columns = ["name", "p95", "why"]
filters = {{ bad = "health!=ok", urgent = "sev<=2 unacked" }}
slow_link = true

[console.keys]
"theme.next" = "F5"
""")
    ran = run(command, "--no-poll", config=config)
    assert (ran.code, ran.out) == (0, f"{config}: 1 endpoint, {RULES} rules, no problems.\n{ALONE}")


def test_programs_get_the_problems_as_json(tmp_path: Path) -> None:
    config = written(tmp_path, named("a", "http://h", "evry = 1"))
    ran = run(command, "--json", config=config)
    assert ran.code == 1
    assert json.loads(ran.out)["problems"] == [
        {
            "key": "endpoint[0].evry",
            "problem": "is not a setting",
            "hint": "Did you mean 'every'?",
        }
    ]


@pytest.mark.parametrize("args", [("--poll",), ("here",)], ids=["an option", "an argument"])
def test_what_is_not_an_option_is_a_mistake_of_usage(args: tuple[str, ...]) -> None:
    assert run(command, *args).code == 2


def test_somebody_who_could_not_be_told_from_here_is_named(tmp_path: Path) -> None:
    config = written(tmp_path)
    config.write_text(
        '[[channel]]\nname = "pd"\ntype = "pagerduty"\nrouting_key = { env = "NOT_SET_HERE" }\n'
    )
    why = "channel pd: the environment variable NOT_SET_HERE is not set"
    ran = run(command, config=config)
    assert (ran.code, ran.out.splitlines()[-1]) == (1, f"Cannot be told: {why}.")
    answer = json.loads(run(command, "--json", config=config).out)
    assert answer["cannot_be_told"] == [why]
    assert run(command, "--no-poll", config=config).code == 0


def test_others_who_could_not_be_heard_are_named(tmp_path: Path) -> None:
    config = written(tmp_path)
    config.write_text(
        '[intake]\ntoken = { env = "NOT_SET_HERE" }\n'
        '[[alertmanager]]\nname = "eu"\nurl = "http://127.0.0.1:1"\n'
    )
    why = [
        "anybody at the intake: the environment variable NOT_SET_HERE is not set",
        "eu: /api/v2/alerts: the connection was refused",
    ]
    ran = run(command, config=config)
    assert ran.code == 1
    assert ran.out.splitlines()[-2:] == [f"Cannot be heard: {one}." for one in why]
    assert json.loads(run(command, "--json", config=config).out)["cannot_be_heard"] == why
    assert run(command, "--no-poll", config=config).code == 0


@pytest.mark.parametrize(
    ("match", "hints"),
    [("model=~.+", 1), ("severity=~[1-4]", 1), ("owner=risk", 1), ("model=a", 0)],
)
def test_maintenance_of_everything_gets_a_hint(tmp_path: Path, match: str, hints: int) -> None:
    fleet = [f'name = "{name}"\nurl = "http://{name}"\nowner = "risk"\n' for name in "ab"]
    config = written(tmp_path, *fleet)
    with config.open("a") as file:
        file.write(f'[[maintenance]]\nname = "night"\nmatch = ["{match}"]\nhours = "22:00-23:00"\n')
    ran = run(command, "--no-poll", config=config)
    assert ran.code == 0
    assert ran.err.count(f"maintenance[0].match mutes nearly every alert ({match})") == hints


def test_a_secret_that_is_too_short_to_be_hidden_is_remarked(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("abc\n")
    token.chmod(0o600)
    config = tmp_path / "watchdeck.toml"
    config.write_text(f'[intake]\ntoken = {{ file = "{token}" }}\n')
    ran = run(command, config=config)
    remark = (
        "Not hidden in texts that repeat it, as it has fewer than 4 characters: token of intake"
    )
    assert f"\n{remark}.\n" in f"{ran.out}\n"
    assert ran.code == 0
    told = json.loads(run(command, "--json", config=config).out)
    assert told["remarks"] == [remark]
