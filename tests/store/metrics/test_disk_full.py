"""A full disk stops the file, not the collector."""

import logging
import subprocess
from array import array
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from log_lines import lines_of
from watchdeck.domain.metrics.scrape import Frame, Outcome, Scrape
from watchdeck.domain.metrics.series import Layout, Series
from watchdeck.domain.metrics.signal import signal_layout
from watchdeck.domain.settings.configuration import Retention
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.store.files.connection import open_readonly
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.latest import read_latest
from watchdeck.store.metrics.writer import MetricsWriter
from watchdeck.store.migrations import prepare

NOW = 1_790_000_000_000
SIGNALS = signal_layout(())
PAGE = Layout(tuple(Series(f"series_{n}") for n in range(4_000)))


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of three megabytes."""
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(tmp_path)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def scrape(n: int) -> Scrape:
    signals = Frame(SIGNALS, array("d", [0.0] * len(SIGNALS)))
    page = Frame(PAGE, array("d", [float(n)] * len(PAGE)))
    return Scrape("fraud", NOW + n, 0.1, Outcome.OK, signals, series=page)


def test_a_full_disk_is_named_scrapes_wait_and_room_is_found_alone(
    small: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "watchdeck")
    ballast = small / "ballast"
    ballast.write_bytes(b"\0" * (1 << 20))
    directory = StoreDirectory(small / "store")
    prepare(directory)
    writer = MetricsWriter(directory, Retention(), clock=lambda: NOW)
    writer.start()
    writer.register([EndpointFacts("fraud", "http://fraud", 1_000)])
    sent = 0
    while not writer.status().problem:
        if writer.status().queued < 5:
            writer.submit(scrape(sent))
            sent += 1
    assert "the disk is full" in writer.status().problem
    waiting = writer.status().queued
    assert waiting > 0
    writer.submit(scrape(sent))
    ballast.unlink()
    while writer.status().queued:
        pass
    assert (writer.status().problem, writer.status().dropped) == ("", 0)
    writer.close()
    with closing(open_readonly(directory.metrics)) as db:
        (latest,) = read_latest(db)
    assert latest.at == NOW + sent
    first, *_, last = (line for line in lines_of(caplog) if "stored" in line)
    assert first.startswith("<3>scrapes cannot be stored file=metrics.db problem=")
    assert "the disk is full" in first
    assert last.startswith("<6>scrapes are stored again file=metrics.db failures=")
