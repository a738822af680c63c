import re
from pathlib import Path

import click
import pytest

from watchdeck.cli import group
from watchdeck.config.load import load
from watchdeck.resources import folder

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
ALLOWED = {
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "src",
    "tests",
    "themes",
    "sample_data",
    ".ci",
    ".gitignore",
    ".pre-commit-config.yaml",
}


def commands() -> list[tuple[str, click.Command]]:
    context = click.Context(group)
    found: list[tuple[str, click.Command]] = [("watchdeck", group)]
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found.append((name, command))
        if isinstance(command, click.Group):
            found += [(f"{name} {sub}", c) for sub, c in command.commands.items()]
    return found


COMMANDS = commands()


@pytest.mark.parametrize("name", [name for name, _ in COMMANDS])
def test_a_command_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README or f"`watchdeck {name}" in README


@pytest.mark.parametrize(
    ("name", "option"),
    [
        pytest.param(name, option, id=f"{name} {option}")
        for name, command in COMMANDS
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
        if option.startswith("--") and option not in ("--help", "--version")
    ],
)
def test_an_option_is_in_the_readme(name: str, option: str) -> None:
    row = next(line for line in README.splitlines() if line.startswith(f"| `{name}`"))
    assert option in row


def test_a_command_in_the_readme_exists() -> None:
    table = README.partition("## Commands")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z ]+)`", table, re.MULTILINE)
    assert {*rows} >= {"watchdeck", "demo", "status"}
    assert {*rows} <= {name for name, _ in COMMANDS}


def test_a_file_that_contributing_names_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    roots = (ROOT, ROOT / "src" / "watchdeck")
    named = {name for name in re.findall(r"`([a-z_/.]+/[a-z_.]*)`", text) if "SUBJECT" not in name}
    assert len(named) > 30
    assert {name for name in named if not any((root / name).exists() for root in roots)} == set()


def test_the_readme_runs_the_tests_as_the_continuous_integration_does() -> None:
    line = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]' && "
    command = f"{line}.venv/bin/python -m pytest -q -n 2"
    assert command in README.splitlines()
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_nothing_else_lies_at_the_top_level() -> None:
    ignored = {".git", *(ROOT / ".gitignore").read_text().replace("/", "").split()}
    present = {path.name for path in ROOT.iterdir()}
    assert {name for name in present - ALLOWED - ignored if not name.endswith(".egg-info")} == set()


def test_the_configuration_in_the_readme_has_no_problem(tmp_path: Path) -> None:
    written = re.findall(r"^```toml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    path = tmp_path / "watchdeck.toml"
    path.write_text("\n".join(written))
    names = [endpoint.name for endpoint in load(path).endpoint]
    assert names[:4] == ["fraud-detector", "support-chat", "scorer", "ranker"]
    assert names[4:] == ["chat", "gpu-node", "node-7"]


def test_the_example_that_is_shipped_has_no_problem() -> None:
    assert len(load(folder("sample_data") / "watchdeck.toml").endpoint) == 3
