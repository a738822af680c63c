"""The whole way: a real server, a real collector process, the board that a command prints."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "pages" / "mlserver-1.7.1" / "after-18082_metrics.body"


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = {"/metrics": PAGE.read_bytes(), "/v2/models/iris/ready": b""}.get(self.path)
        self.send_response(404 if found is None else 200)
        self.send_header("Content-Length", str(len(found or b"")))
        self.end_headers()
        self.wfile.write(found or b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def watchdeck(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "watchdeck", "--config", "watchdeck.toml", *argv]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def collector(address: str, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    (tmp_path / "watchdeck.toml").write_text(f"""
store = "store"
[[endpoint]]
name = "iris"
url = "{address}"
metrics_url = "{address}/metrics"
model = "iris"
kind = "mlserver"
every = "1s"
[[endpoint]]
name = "gone"
url = "http://127.0.0.1:9"
every = "1s"
[heartbeat]
url = "http://127.0.0.1:9"
""")
    command = [sys.executable, "-m", "watchdeck", "--config", "watchdeck.toml", "collect"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert any("collector started" in line for line in process.stderr)
    yield process
    process.kill()
    process.communicate()


def judged(folder: Path) -> dict[str, dict[str, object]]:
    """The models, once each has been judged; every call takes as long as the command itself."""
    for _ in range(200):
        done = watchdeck(folder, "status", "--json")
        models = {
            model["name"]: model for model in json.loads(done.stdout or '{"models":[]}')["models"]
        }
        if models and models["gone"]["health"] == "down" and models["iris"]["health"] == "ok":
            return models
    raise AssertionError(f"never judged: {done.stdout}{done.stderr}")


def test_a_real_page_becomes_a_true_line_of_status(
    collector: subprocess.Popen[str], tmp_path: Path
) -> None:
    models = judged(tmp_path)
    assert models["iris"]["kind"] == "mlserver"
    assert models["iris"]["model_state"] == "ready"
    assert models["gone"]["outcome"] == "refused"
    assert watchdeck(tmp_path, "status").returncode == 2
    second = watchdeck(tmp_path, "collect")
    assert (second.returncode, str(collector.pid) in second.stderr) == (1, True)
    collector.send_signal(signal.SIGTERM)
    assert collector.wait(5) == 0
    stopped = json.loads(watchdeck(tmp_path, "status", "--json").stdout)
    assert stopped["collector"]["state"] == "stopped"
    assert watchdeck(tmp_path, "audit", "verify").returncode == 0
    assert watchdeck(tmp_path, "backup", "copy").returncode == 0
    assert (tmp_path / "copy" / "metrics.db").is_file()


@pytest.mark.usefixtures("collector")
def test_that_nobody_outside_hears_it_is_no_trouble_of_the_store(tmp_path: Path) -> None:
    judged(tmp_path)
    said = json.loads(watchdeck(tmp_path, "status", "--json").stdout)["collector"]
    assert said["storing"] == ""
    assert "the sign of life did not arrive" in said["outside"]


@pytest.mark.parametrize(
    "name", ["metrics.db", "state.db", "collector.lock", "metrics.db-wal", "state.db-wal"]
)
def test_a_collector_whose_store_goes_away_ends_and_says_what_would_work(
    collector: subprocess.Popen[str], tmp_path: Path, name: str
) -> None:
    judged(tmp_path)
    (tmp_path / "store" / name).unlink()
    _, said = collector.communicate(timeout=20)
    assert collector.returncode == 1
    assert "deleted or replaced while the collector wrote to them. Start it again" in said
    assert "Traceback" not in said


HUB = """
store = "store"
[intake]
token = { env = "TOKEN" }
listen = "127.0.0.1:0"
"""
ALERTMANAGER = """
store = "store"
[[alertmanager]]
url = "http://127.0.0.1:9"
"""
CHANNEL = """
store = "store"
[[channel]]
name = "hook"
type = "webhook"
url = "http://127.0.0.1:9"
"""


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(HUB, id="an intake"),
        pytest.param(ALERTMANAGER, id="an Alertmanager"),
        pytest.param(CHANNEL, id="a channel"),
    ],
)
def test_a_collector_without_endpoints_goes_on_for(config: str, tmp_path: Path) -> None:
    (tmp_path / "watchdeck.toml").write_text(config)
    command = [sys.executable, "-m", "watchdeck", "--config", "watchdeck.toml", "collect"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TOKEN": "a" * 20},
    ) as process:
        assert process.stderr is not None
        awaited = "intake listens" if config == HUB else "collector started"
        assert any(awaited in line for line in process.stderr)
        for _ in range(3):
            status = json.loads(watchdeck(tmp_path, "status", "--json").stdout)
        assert status["collector"]["state"] == "running"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_collector_with_nothing_to_do_refuses(tmp_path: Path) -> None:
    (tmp_path / "watchdeck.toml").write_text('store = "store"\n')
    ran = watchdeck(tmp_path, "collect")
    assert ran.returncode == 1
    assert "gives a collector nothing to do" in ran.stderr
    assert watchdeck(tmp_path, "check").returncode == 1
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        pytest.param(("status",), 3, id="a status that cannot be given is 3"),
        pytest.param(("status", "--nonsense"), 3, id="wrong usage of status is 3"),
        pytest.param(("collect", "--nonsense"), 2, id="wrong usage elsewhere is 2"),
        pytest.param(("doctor",), 1, id="a failure elsewhere is 1"),
    ],
)
def test_a_failure_has_its_exit_code(argv: tuple[str, ...], code: int, tmp_path: Path) -> None:
    assert watchdeck(tmp_path, *argv).returncode == code
