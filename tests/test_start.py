"""What starts fast must stay fast: the heavy imports are paid only where they are used."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"pandas", "scipy", "sqlite_utils", "httpx", "numpy", "textual", "rich"}

RUN = """
import sys
sys.argv = {argv!r}
from watchdeck.cli import main
try:
    main()
except SystemExit as ended:
    code = ended.code
print("CODE", code)
print("LOADED", *sorted({heavy!r} & set(sys.modules)))
"""


def loaded(*argv: str, cwd: Path) -> tuple[str, set[str], str]:
    code = RUN.format(argv=["watchdeck", *argv], heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    said = [line for line in lines if line.startswith("CODE ")][-1]
    heavy = [line for line in lines if line.startswith("LOADED")][-1].split()[1:]
    return said.split()[1], set(heavy), done.stderr


@pytest.mark.parametrize("argv", [("--help",), ("--version",), ("status", "--help")])
def test_help_loads_nothing_heavy(argv: tuple[str, ...], tmp_path: Path) -> None:
    assert loaded(*argv, cwd=tmp_path)[:2] == ("0", set())


def test_a_status_without_a_configuration_ends_with_3_and_loads_nothing_heavy(
    tmp_path: Path,
) -> None:
    code, heavy, said = loaded("status", cwd=tmp_path)
    assert (code, heavy) == ("3", set())
    assert "watchdeck init URL" in said


LOGGING = """
import logging
for name in ("asyncio", "httpx", "watchdeck.store"):
    logging.getLogger(name).error("drawn over the console")
"""


def test_a_command_draws_no_log_line_on_its_terminal(tmp_path: Path) -> None:
    code = RUN.format(argv=["watchdeck", "--version"], heavy=HEAVY) + LOGGING
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
