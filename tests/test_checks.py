"""What the continuous integration checks is what pyproject.toml and pre-commit say."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CI = ROOT / ".ci"
RUN = (CI / "run").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REQUIREMENTS = {
    requirement
    for requirements in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for requirement in requirements
}


def release(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def lowest() -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, CI / "lowest.py"], capture_output=True, text=True, check=True
    )
    return dict(line.split("==") for line in done.stdout.splitlines())


def known_good() -> dict[str, str]:
    lines = (CI / "constraints.txt").read_text().splitlines()
    return dict(line.lower().replace("_", "-").split("==") for line in lines if line[0] != "#")


def test_every_dependency_is_tried_at_its_lower_bound() -> None:
    bounds = {re.split("[><=]", requirement)[0]: requirement for requirement in REQUIREMENTS}
    assert set(lowest()) == set(bounds)
    for name, version in lowest().items():
        assert re.match(rf"{name}[>=]={version}(,|$)", bounds[name])


def test_every_dependency_is_held_at_a_version_within_its_bounds() -> None:
    held = known_good()
    assert {name for name, low in lowest().items() if release(held[name]) < release(low)} == set()
    for requirement in REQUIREMENTS:
        name, _, limit = requirement.partition(",<")
        if limit:
            assert release(held[re.split("[><=]", name)[0]]) < release(limit)


def test_the_constraints_name_versions_alone() -> None:
    lines = [line for line in (CI / "constraints.txt").read_text().splitlines() if line[0] != "#"]
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


def test_pre_commit_runs_what_the_continuous_integration_runs() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    checks = RUN.partition('say "style, types, layers"\n')[2].partition("\n\n")[0]
    assert re.findall(r"^ *entry: (.*)$", hooks, re.MULTILINE) == checks.splitlines()


def test_every_python_that_is_named_as_supported_is_run() -> None:
    named = {line.rpartition(" ")[2] for line in PROJECT["classifiers"] if "Python :: 3." in line}
    others = re.search(r"^for version in (.*); do$", RUN, re.MULTILINE)
    assert others is not None
    assert named - {"3.11"} <= set(others[1].split())
    assert "3.11" in named


def report(path: Path, **seconds: float) -> Path:
    cases = "".join(
        f'<testcase classname="tests.{folder}.test_a" name="test_b" time="{time}"/>'
        for folder, time in seconds.items()
    )
    path.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    return path


@pytest.mark.parametrize(
    ("folder", "command", "code", "said"),
    [
        pytest.param(6, 60, 0, "", id="within the budget"),
        pytest.param(6_000, 60, 1, "tests/a: 100.0 minutes", id="a folder takes too long"),
        pytest.param(6, 6_000, 1, "the command: 100.0 minutes", id="the command takes too long"),
    ],
)
def test_minutes_over_budget_fail(
    folder: float, command: int, code: int, said: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, CI / "minutes.py", report(tmp_path / "a.xml", a=folder), str(command)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code
    assert said in done.stderr


def test_a_budget_is_of_a_folder_that_exists() -> None:
    budgets = tomllib.loads((CI / "minutes.toml").read_text())
    folders = set(budgets) - {"command", "other"}
    assert {name for name in folders if not (ROOT / "tests" / name).is_dir()} == set()
