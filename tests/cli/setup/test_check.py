import json
from pathlib import Path

import pytest

from cli.commands import run, run_beside
from servers.captured import captured, saying
from watchdeck.cli.setup.check import command
from watchdeck.domain.values.text import clean


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
        assert lines[0] == f"{config}: 1 endpoint, no problems."
        assert lines[2] == f"iris  {server.url()}"
    assert lines[3].startswith("  answered in ")
    assert lines[4] == "  BentoML; the model is ready"
    measurable, missing = ran.out.split("  measurable:\n")[1].split("  not measurable:\n")
    assert "request_rate, error_ratio, latency_p50" in measurable
    assert "tls_days_left" not in measurable
    assert "    queue_depth: BentoML does not count waiting requests\n" in missing
    assert (ran.code, lines[-1]) == (0, "All were reached.")


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
    assert "  refused: /metrics: the connection was refused\n" in ran.out
    assert "  no metrics: /metrics: an HTML or XML page came" in ran.out
    assert "  BentoML; the model is ready\n" in ran.out
    assert ran.out.endswith("\n2 of 3 endpoints failed.\n")


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
    assert (ran.code, ran.out) == (0, f"{config}: 2 endpoints, no problems.\n")
    answer = json.loads(run(command, "--no-poll", "--json", config=config).out)
    assert answer == {"config": str(config), "problems": []}


def test_a_configuration_without_endpoints_says_how_to_get_some(tmp_path: Path) -> None:
    ran = run(command, config=written(tmp_path))
    assert ran.code == 0
    assert "0 endpoints, no problems. `watchdeck init URL` writes some." in ran.out


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
filters = {{ bad = "health!=ok" }}
slow_link = true

[console.keys]
"theme.next" = "F5"
""")
    ran = run(command, "--no-poll", config=config)
    assert (ran.code, ran.out) == (0, f"{config}: 1 endpoint, no problems.\n")


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
