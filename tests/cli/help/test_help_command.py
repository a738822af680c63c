"""`watchdeck help` as a person asks for it."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli.commands import run
from cli.help.help_pages import page
from watchdeck.cli import group
from watchdeck.cli.help.command import TOPICS, command, reference_of

ALL = pytest.mark.parametrize("topic", [*TOPICS])


def test_without_a_topic_the_topics_are_listed() -> None:
    lines = run(command).out.splitlines()
    assert [line.split()[:3] for line in lines[1:6]] == [["watchdeck", "help", t] for t in TOPICS]
    assert all(len(line.split()) > 5 for line in lines[1:6])


def test_an_unknown_topic_is_a_mistake_of_usage_that_names_the_nearest_and_all() -> None:
    ran = run(command, "confg")
    assert ran.code == 2
    text = " ".join(ran.err.split())
    assert "'confg' is not a topic. Did you mean 'config'?" in text
    assert "There are: config, rules, filter, json, keys." in text


def test_the_name_of_a_command_is_answered_with_its_own_help() -> None:
    ran = run(group, "help", "status")
    assert ran.code == 2
    assert "`watchdeck status --help` explains that." in " ".join(ran.err.split())


@pytest.mark.parametrize(
    ("args", "first", "absent"),
    [
        pytest.param(("config", "heartbeat"), "[heartbeat]", "[[channel]]", id="a section"),
        pytest.param(("config.heartbeat",), "[heartbeat]", "[[channel]]", id="with a dot"),
        pytest.param(("config", "Heartbeat"), "[heartbeat]", "[[channel]]", id="in capitals"),
        pytest.param(("config", "endpoint.every"), "[[endpoint]]", "timeout =", id="a key"),
        pytest.param(("config.alertmanager.tls",), "[endpoint.tls], [", "every =", id="inner"),
        pytest.param(("rules", "signals"), "Signals", "Built-in rules", id="signals"),
        pytest.param(("json", "rules.test"), "watchdeck rules test", "silences", id="a document"),
        pytest.param(("json", "took_s"), "watchdeck check", "detail", id="the end of a path"),
        pytest.param(("json", "models[].signals.NAME.unit"), "watchdeck s", "low", id="a path"),
        pytest.param(("config", "watchdeck_config"), "Environment", "PAGER", id="a variable"),
        pytest.param(("keys", "ack.set"), "About alerts", "ack.with", id="a binding"),
    ],
)
def test_a_name_asks_for_one_part(args: tuple[str, ...], first: str, absent: str) -> None:
    ran = run(command, *args)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(first)
    assert absent not in ran.out


def test_a_key_without_its_table_is_shown_in_every_table_that_has_it() -> None:
    lines = run(command, "config", "timeout").out.splitlines()
    titles = [line for line in lines if line.startswith("[")]
    assert titles == ["[[endpoint]]", "[[alertmanager]]", "[[channel]]"]


def test_an_inner_table_comes_with_its_table() -> None:
    lines = run(command, "config", "endpoint").out.splitlines()
    titles = [line for line in lines if line.startswith("[")]
    assert titles == [
        "[[endpoint]]",
        "[[endpoint.resources]]",
        "[endpoint.slo]",
        "[endpoint.tls], [alertmanager.tls]",
        "[endpoint.canary]",
    ]


@ALL
def test_every_section_that_a_page_lists_can_be_asked_for(topic: str) -> None:
    names = reference_of(topic).names
    assert len(set(names)) == len(names) > 3
    assert [run(command, topic, name).code for name in names] == [0] * len(names)


@ALL
def test_an_unknown_section_names_the_sections(topic: str) -> None:
    ran = run(command, topic, "nothing-of-that-name")
    assert ran.code == 2
    assert f"is not a section of {topic}" in " ".join(ran.err.split())
    assert all(name in ran.err for name in reference_of(topic).names)


def test_an_unknown_key_names_the_nearest_key() -> None:
    assert "Did you mean 'every'?" in run(command, "config", "evry").err


@ALL
@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_longer_than_the_width(topic: str, width: int) -> None:
    samples = {line for one in reference_of(topic).sections for line in one.sample.splitlines()}
    long = {line.strip() for line in page(topic, width).splitlines() if len(line) > width}
    assert long - samples == set(), "only lines of a sample stay whole"
    assert not long or width < 80


@ALL
def test_in_a_pipe_the_page_is_as_wide_as_80_columns(topic: str) -> None:
    assert run(command, topic).out == f"{page(topic)}\n"


@ALL
def test_a_page_is_plain_text(topic: str) -> None:
    text = page(topic)
    assert not re.search(r"[^\S\n ]|\x1b", text)
    assert not any(line.endswith(" ") for line in text.splitlines())
    assert "\n\n\n" not in text


def on_terminal(*args: str, rows: int, columns: int, pager: str, cwd: Path) -> str:
    """What `watchdeck help` writes to a terminal of this size."""
    main, side = pty.openpty()
    os.set_inheritable(side, True)
    environ = {**os.environ, "PAGER": pager, "LINES": str(rows), "COLUMNS": str(columns)}
    shell = [sys.executable, "-m", "watchdeck", "help", *args]
    with subprocess.Popen(shell, cwd=cwd, stdin=side, stdout=side, stderr=side, env=environ):
        os.close(side)
        found = b""
        while chunk := _read(main):
            found += chunk
    os.close(main)
    return found.decode().replace("\r\n", "\n")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65_536)
    except OSError:  # the other side is closed
        return b""


def test_on_a_terminal_a_long_page_opens_in_the_pager_and_a_short_one_does_not(
    tmp_path: Path,
) -> None:
    counted = on_terminal("config", rows=24, columns=80, pager="wc -l", cwd=tmp_path)
    assert int(counted) == page("config").count("\n") + 1
    short = on_terminal("config", "heartbeat.url", rows=24, columns=80, pager="wc", cwd=tmp_path)
    assert short.startswith("[heartbeat]\n")


def test_on_a_terminal_the_page_has_its_width_up_to_100_columns(tmp_path: Path) -> None:
    for columns, width in ((90, 90), (200, 100)):
        shown = on_terminal("keys", rows=24, columns=columns, pager="cat", cwd=tmp_path)
        assert shown.rstrip("\n") == page("keys", width)


LOADED = """
import sys
sys.argv = ["watchdeck", *{argv!r}]
from watchdeck.cli import main
try:
    main()
except SystemExit as ended:
    assert not ended.code
print("LOADED", *sorted(name for name in sys.modules if name.startswith({prefixes!r})))
"""


def loaded(*argv: str, prefixes: tuple[str, ...], cwd: Path) -> list[str]:
    code = LOADED.format(argv=argv, prefixes=prefixes)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()[-1].split()[1:]


def test_other_commands_do_not_pay_for_the_help(tmp_path: Path) -> None:
    assert loaded("--help", prefixes=("watchdeck.cli.help",), cwd=tmp_path) == []


@ALL
def test_a_page_is_made_without_a_console(topic: str, tmp_path: Path) -> None:
    heavy = ("textual", "rich.console", "rich.text", "rich.style", "pandas", "scipy", "httpx")
    assert loaded("help", topic, prefixes=heavy, cwd=tmp_path) == []
