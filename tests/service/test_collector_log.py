"""The log of a real collector process: what a person reads in the journal on the next morning."""

import http.client
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from msgspec.structs import replace

from log_lines import lines_of
from watchdeck.domain.board.board import CollectorStatus
from watchdeck.service.collector import ConditionLog
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.migrations import create_file
from watchdeck.store.schema.registry import schema_of

TIMEOUT = 60.0
"""Seconds after which a collector is killed that did not write what a test waits for."""

SECRETS = {
    "HOOK_KEY": "hook-s3cret-1f0c",
    "BEAT_KEY": "beat-s3cret-77aa",
    "INTAKE_TOKEN": "token-s3cret-90b2",
}


class Receiver(BaseHTTPRequestHandler):
    """Fails as often as the test wants, and repeats what it was asked; then accepts."""

    failures = 2

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fails, Receiver.failures = Receiver.failures > 0, Receiver.failures - 1
        said = f"Cannot POST {self.path}\x1b[2J\n<3>forged for {self.headers['x-key']}".encode()
        self.send_response(500 if fails else 202)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
        assert json.loads(body)["data"]["title"]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        pass


class Model(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"up 1\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        pass


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], port: int = 0) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Journal:
    """A running collector, and all the lines that were read of its log."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def read_until(self, *texts: str) -> str:
        """Read until a line has all of these texts; returns that line."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            if all(text in line for text in texts):
                return line
        raise AssertionError(f"no line has {texts}:\n{''.join(self.lines)}")

    def read_to_end(self) -> int:
        assert self.process.stderr is not None
        self.lines += self.process.stderr
        return self.process.wait()

    @property
    def text(self) -> str:
        return "".join(self.lines)


@contextmanager
def collecting(
    folder: Path, config: str, environ: Mapping[str, str] | None = None, *options: str
) -> Iterator[Journal]:
    """A collector, told by JOURNAL_STREAM that its stderr is the journal, as systemd tells it."""
    (folder / "watchdeck.toml").write_text(config)
    reader, writer = os.pipe()
    stream = os.fstat(writer)
    told = {"JOURNAL_STREAM": f"{stream.st_dev}:{stream.st_ino}", **(environ or {})}
    command = [sys.executable, "-m", "watchdeck", "--config", "watchdeck.toml", "collect"]
    process = subprocess.Popen(
        [*command, *options], cwd=folder, stderr=writer, env=os.environ | told, text=True
    )
    os.close(writer)
    process.stderr = os.fdopen(reader, encoding="utf-8")
    watchdog = threading.Timer(TIMEOUT, process.kill)
    watchdog.start()
    try:
        yield Journal(process)
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        process.stderr.close()


ENDPOINT = """
store = "store"
[[endpoint]]
name = "iris"
url = "http://127.0.0.1:{port}"
kind = "prometheus"
every = "1s"
"""

CHANNEL = """
[[rule]]
name = "not-there"
when = "down for 1s"
severity = 1
[[channel]]
name = "pager"
type = "webhook"
url = {{ env = "HOOK" }}
headers = {{ x-key = {{ env = "HOOK_KEY" }} }}
[[route]]
to = ["pager"]
[heartbeat]
url = {{ env = "BEAT" }}
every = "10s"
[intake]
token = {{ env = "INTAKE_TOKEN" }}
listen = "127.0.0.1:{port}"
"""


def free_port() -> int:
    """A port of loopback on which nobody listens."""
    with serving(Model) as port:
        return port


@pytest.fixture
def closed_port() -> int:
    """The port of an endpoint that is down."""
    return free_port()


def post(port: int, token: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Authorization": f"Bearer {token}"}
    connection.request("POST", "/events?key=s3cret", b"{}", headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_channel_that_fails_and_works_again_is_in_the_log_and_no_secret_is(
    tmp_path: Path, closed_port: int
) -> None:
    with serving(Receiver) as port:
        environ = SECRETS | {
            "HOOK": f"http://127.0.0.1:{port}/services/{SECRETS['HOOK_KEY']}",
            "BEAT": f"http://127.0.0.1:{closed_port}/beat/{SECRETS['BEAT_KEY']}",
        }
        intake = free_port()
        config = ENDPOINT.format(port=closed_port) + CHANNEL.format(port=intake)
        with collecting(tmp_path, config, environ) as journal:
            journal.read_until("<6>intake listens", f"port={intake}")
            assert post(intake, "guess-s3cret") == 401
            failed = journal.read_until("<4>channel fails", "channel=pager", "type=webhook")
            journal.read_until("<4>channel fails", "count=2")
            works = journal.read_until("<6>channel works again", "channel=pager")
            journal.process.send_signal(signal.SIGTERM)
            assert journal.read_to_end() == 0
    assert 'problem="500 Internal Server Error: Cannot POST (secret)^[[2J^J<3>forged for' in failed
    assert "failures=2" in works
    assert "<4>request rejected by the intake peer=127.0.0.1 status=401" in journal.text
    assert "<4>endpoint cannot be scraped endpoint=iris outcome=refused" in journal.text
    assert '<4>heartbeat did not arrive problem="the connection was refused"' in journal.text
    assert "<6>collector stops signal=SIGTERM\n<6>collector stopped" in journal.text
    assert [line for line in journal.lines if not line.startswith(("<3>", "<4>", "<6>"))] == []
    assert "s3cret" not in journal.text


def test_an_endpoint_that_answers_again_is_one_line_and_a_good_scrape_is_none(
    tmp_path: Path, closed_port: int
) -> None:
    with collecting(tmp_path, ENDPOINT.format(port=closed_port)) as journal:
        journal.read_until("<4>endpoint cannot be scraped", "endpoint=iris")
        with serving(Model, closed_port):
            journal.read_until("<6>endpoint can be scraped again", "endpoint=iris", "failures=")
            status = ["status", "--json"]
            for _ in range(10):
                watchdeck(tmp_path, *status)
            journal.process.send_signal(signal.SIGTERM)
            journal.read_to_end()
    since = journal.text.partition("endpoint can be scraped again")[2].splitlines()[1:]
    assert [line.partition(" signal")[0] for line in since] == [
        "<6>collector stops",
        f"<6>collector stopped pid={journal.process.pid}",
    ]


def test_an_older_store_is_upgraded_after_a_backup_which_is_named(
    tmp_path: Path, closed_port: int
) -> None:
    store = StoreDirectory(tmp_path / "store")
    store.create()
    schema = schema_of(store.state)
    create_file(store.state, replace(schema, steps=schema.steps[:-1]))
    with collecting(tmp_path, ENDPOINT.format(port=closed_port)) as journal:
        line = journal.read_until("<6>store file upgraded", "state.db")
    numbers = f"before={schema.version - 1} version={schema.version}"
    backup = store.backups / f"state-v{schema.version - 1}-1.db"
    assert line == f"<6>store file upgraded file={store.state} {numbers} backup={backup}\n"
    assert backup.is_file()


def watchdeck(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "watchdeck", "--config", "watchdeck.toml", *argv]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_store_that_is_replaced_ends_the_collector_and_the_next_one_restores_the_alerts(
    tmp_path: Path, closed_port: int
) -> None:
    config = ENDPOINT.format(port=closed_port)
    with collecting(tmp_path, config) as journal:
        journal.read_until("<6>store file created", "metrics.db", "version=")
        journal.read_until("<6>collector started", f"pid={journal.process.pid}", "endpoints=1")
        journal.read_until("endpoint cannot be scraped")
        wait_for_alert(tmp_path)
        (tmp_path / "store" / "metrics.db").rename(tmp_path / "metrics.db")
        journal.read_until("<3>store replaced or deleted", f"store={tmp_path}/store")
        assert journal.read_to_end() == 1
        assert journal.lines[-1].startswith('<3>collector failed problem="files of ')
    with collecting(tmp_path, config) as journal:
        journal.read_until("<6>store file created", "metrics.db")
        restored = journal.read_until("<6>alerts restored from the store")
    assert re.search(r" open=1 (pending|firing)=1 acknowledged=0 messages_waiting=0\n", restored)


def wait_for_alert(folder: Path) -> None:
    """Wait until the store has an alert; every look takes as long as the command itself."""
    for _ in range(200):
        done = watchdeck(folder, "status", "--json")
        if json.loads(done.stdout or "{}").get("alerts"):
            return
    raise AssertionError(f"no alert: {done.stdout}{done.stderr}")


def test_each_problem_of_a_refused_configuration_is_a_line(tmp_path: Path) -> None:
    config = '[[endpoint]]\nname = "iris"\nurl = "http://h"\nevry = "1s"\n[retention]\nraw = "1s"\n'
    with collecting(tmp_path, config) as journal:
        assert journal.read_to_end() == 1
    evry, raw = journal.lines
    said = "<3>configuration refused file=watchdeck.toml key="
    assert evry.startswith(f"{said}endpoint[0].evry problem=")
    assert "Did you mean 'every'?" in evry
    assert raw.startswith(f"{said}retention.raw problem=")


def test_a_second_collector_logs_whose_the_store_is(tmp_path: Path, closed_port: int) -> None:
    config = ENDPOINT.format(port=closed_port)
    with collecting(tmp_path, config) as first:
        first.read_until("collector started")
        with collecting(tmp_path, config) as second:
            assert second.read_to_end() == 1
    assert second.lines[-1].startswith('<3>collector failed problem="a collector already runs on')
    assert f"(process {first.process.pid})" in second.lines[-1]


def test_only_what_is_asked_for_is_logged(tmp_path: Path, closed_port: int) -> None:
    config = ENDPOINT.format(port=closed_port)
    with collecting(tmp_path, config, None, "--log-level", "error") as journal:
        wait_for_alert(tmp_path)
        journal.process.send_signal(signal.SIGTERM)
        assert journal.read_to_end() == 0
    assert journal.lines == []


def status(*, blind: str = "", lag: float = 0.0) -> CollectorStatus:
    return CollectorStatus(1, "1", 0, 0, 1, blind=blind, lag=lag)


def test_a_condition_of_the_whole_collector_is_a_line_at_its_begin_and_at_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "watchdeck")
    conditions = ConditionLog()
    for _ in range(60):
        conditions.record(status(blind="none of 9 endpoints can be reached"), "")
    for _ in range(60):
        conditions.record(status(lag=7.04), "nothing was judged for 31000 ms")
    conditions.record(status(), "")
    ill, well = "<3>the collector is not well", "<6>the collector is well again"
    assert lines_of(caplog) == [
        f'{ill} condition="no network" problem="none of 9 endpoints can be reached"',
        f'{well} condition="no network" failures=1',
        f'{ill} condition="scrapes late" problem="scrapes begin 7.0s late"',
        f'{ill} condition="rules not evaluated" problem="nothing was judged for 31000 ms"',
        f'{well} condition="scrapes late" failures=1',
        f'{well} condition="rules not evaluated" failures=1',
    ]
