"""What a command does when its output lacks a character, is full, or is read no longer."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.models.test_change import configured
from watchdeck.cli.output import table_lines
from watchdeck.domain.settings.configuration import Retention
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.store.metrics.writer import MetricsWriter

COMMANDS = [
    ("status",),
    ("status", "--json"),
    ("status", "--follow"),
    ("alerts",),
    ("rules", "list"),
    ("help", "filter"),
    ("export", "-"),
    ("--help",),
]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration and a store with models whose names are of several languages."""
    config, directory = configured(tmp_path)
    writer = MetricsWriter(directory, Retention(), clock=lambda: 0)
    writer.start()
    names = ("検索ランキング", "größe", "plain")
    writer.register([EndpointFacts(name, "http://here", 10_000) for name in names])
    writer.close()
    return config


def watchdeck(
    config: Path, *args: str, stdout: int = subprocess.PIPE, **environ: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "watchdeck", "--config", str(config), *args],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "", **environ},
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("args", COMMANDS)
def test_an_output_without_room_is_a_failure_in_one_sentence(
    config: Path, args: tuple[str, ...], unbuffered: str
) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - the name of a device
        ran = watchdeck(config, *args, stdout=full.fileno(), PYTHONUNBUFFERED=unbuffered)
    said = b"watchdeck: the output cannot be written: No space left on device.\n"
    assert (ran.returncode, ran.stderr) == (3, said)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("args", COMMANDS)
def test_a_reader_that_ends_ends_a_command_quietly(
    config: Path, args: tuple[str, ...], unbuffered: str
) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    ran = watchdeck(config, *args, stdout=writes, PYTHONUNBUFFERED=unbuffered)
    os.close(writes)
    assert (ran.returncode, ran.stderr) == (141, b"")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "shift-jis", "utf-8"])
def test_a_table_is_aligned_in_every_encoding(config: Path, encoding: str) -> None:
    ran = watchdeck(config, "status", PYTHONIOENCODING=encoding)
    assert (ran.returncode, ran.stderr) == (3, b"")
    lines = ran.stdout.decode(encoding).splitlines()[4:]
    # in this encoding a character has as many bytes as it has cells
    starts = {line.encode("shift-jis", "replace").index(b" unknown ", 8) for line in lines[1:]}
    assert len(starts) == 1


def test_what_the_locale_lacks_is_replaced_in_text_and_escaped_in_json(config: Path) -> None:
    ran = watchdeck(config, "status", PYTHONIOENCODING="latin-1")
    assert [line.split()[1] for line in ran.stdout.decode("latin-1").splitlines()[5:]] == [
        *("größe", "plain", "???????"),
    ]
    ran = watchdeck(config, "status", "--json", PYTHONIOENCODING="latin-1")
    names = [model["name"] for model in json.loads(ran.stdout.decode("latin-1"))["models"]]
    assert names == ["größe", "plain", "検索ランキング"]


def test_an_export_to_a_pipe_is_utf_8_in_every_locale(config: Path) -> None:
    narrow = watchdeck(config, "export", "-", PYTHONIOENCODING="ascii")
    assert (narrow.returncode, narrow.stdout) == (0, watchdeck(config, "export", "-").stdout)


def test_a_command_without_an_output_has_its_code(config: Path) -> None:
    code = "import os, sys; os.close(1); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    args = ("-m", "watchdeck", "--config", str(config), "status")
    ran = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, check=False)
    assert (ran.returncode, ran.stderr) == (3, b"")


def test_columns_are_as_wide_as_their_widest_cell_on_the_screen() -> None:
    assert table_lines([("NAME", "AGE"), ("検索", "1m"), ("gro\u0308ße", "2m")]) == [
        "NAME   AGE",
        "検索   1m",
        "gro\u0308ße  2m",
    ]
