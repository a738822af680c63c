"""A real server from a package: its page is read as it is, not as a fixture remembers it."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from watchdeck.collector.exposition import PageParser
from watchdeck.collector.scrape.scraper import Scraper
from watchdeck.config.reading.kinds import load_kinds
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.values.units import Milliseconds

PROMETHEUS = shutil.which("prometheus")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    if PROMETHEUS is None:
        pytest.skip("prometheus is not installed (apt-get install prometheus)")
    (tmp_path / "prometheus.yml").write_text("global: {}\n")
    port = free_port()
    server = subprocess.Popen(
        [
            PROMETHEUS,
            f"--config.file={tmp_path}/prometheus.yml",
            f"--storage.tsdb.path={tmp_path}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    for line in server.stderr:
        if "ready to receive web requests" in line:
            break
    yield f"http://127.0.0.1:{port}"
    server.kill()
    server.communicate()


async def test_the_page_of_a_real_prometheus_is_read_whole(address: str) -> None:
    endpoint = Endpoint("prometheus", address, timeout=Milliseconds(20_000))
    scraper = Scraper(endpoint, load_kinds(), PageParser())
    try:
        first, second = await scraper.scrape(1_000_000), await scraper.scrape(1_010_000)
    finally:
        await scraper.close()
    for scrape in (first, second):
        assert (scrape.outcome, scrape.kind, scrape.truncation.total) == (
            Outcome.OK,
            "prometheus",
            0,
        )
    columns = [series.name for series in second.signals.layout.series]
    assert second.signals.values[columns.index("memory_bytes")] > 1 << 20
    assert "error_ratio" in second.not_measurable
