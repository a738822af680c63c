"""No secret of a configuration reaches the store, the log, a screen or an export.

Servers of every kind repeat whatever they were sent, in whatever way they fail.
"""

import base64
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, get_type_hints
from urllib.parse import quote

import pytest
from msgspec import Struct

from watchdeck.config.load import load
from watchdeck.config.reading.secrets import ADDRESS_SETTINGS, SECRET_SETTINGS, secret_tables
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.values.secret import Secret

TIMEOUT = 60.0

NAMES = (
    *("header_env", "header_file", "header_text", "cookie", "basic", "url_password", "url_key"),
    *("page_password", "canary_body", "hook_path", "hook_key", "hook_password", "hook_header"),
    *("routing_key", "token", "api_password", "variable", "service", "beat_path", "intake"),
    *("manager_header", "manager_password"),
)
SECRETS = {name: f"CANARY+{number:02}/é{name.upper()}" for number, name in enumerate(NAMES)}
"""Letters that every encoding writes in another way; headers get those that HTTP allows."""

ASCII = {name: value.replace("é", "e") for name, value in SECRETS.items()}

FAILURES = {
    "401": "401 Unauthorized",
    "403": "403 Forbidden",
    "404": "404 Not Found",
    "500": "500 Internal Server Error",
}


class Echo(BaseHTTPRequestHandler):
    """Repeats each request in the way that the first part of its path names."""

    protocol_version = "HTTP/1.1"
    came: ClassVar[Counter[str]] = Counter()
    changed = threading.Condition()

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        way = self.path.split("/")[1]
        with self.changed:
            self.came[way] += 1
            self.changed.notify_all()
        echo = self._echo(body)
        if way == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
        elif way == "redirect":
            host = echo.split("|", maxsplit=1)[0].encode().hex()
            where = f"http://{host[:40]}.example/{quote(echo)}"
            self._answer("302 Found", "", [("location", where)])
        elif way == "page":
            label = echo.replace("\\", "").replace('"', "'")
            page = f'# HELP up {label}\n# TYPE up gauge\nup{{said="{label[:900]}"}} 1\n'
            self._answer("200 OK", page, [("server", echo[:200])])
        else:
            self._answer(FAILURES.get(way, FAILURES["500"]), echo, [("server", echo[:200])])

    def do_POST(self) -> None:
        self.do_GET()

    def _echo(self, body: bytes) -> str:
        sent = self.headers.get("authorization", "")
        login = (
            base64.b64decode(sent[6:]).decode(errors="replace") if sent.startswith("Basic ") else ""
        )
        headers = [f"{name}: {text}" for name, text in self.headers.items() if "_" in name]
        words = (login, sent, *headers, self.headers.get("cookie", ""), self.path, body.decode())
        return "|".join(words).replace("\n", " ")

    def _answer(self, status: str, text: str, headers: list[tuple[str, str]]) -> None:
        body = text.encode()
        lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode() + body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        pass


@contextmanager
def echoing() -> Iterator[int]:
    Echo.came.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wait_for(*ways: str) -> None:
    """Wait until each of these was asked for twice."""
    with Echo.changed:
        found = Echo.changed.wait_for(
            lambda: all(Echo.came[way] >= 2 for way in ways), timeout=TIMEOUT
        )
    assert found, Echo.came


HEADERS = """headers = {{ Authorization = {{ env = "HEADER_ENV", prefix = "Bearer " }},
 X_FILE = {{ file = "header_file" }}, X_TEXT = "{header_text}", Cookie = "sid={cookie}" }}"""

ENDPOINT = """
[[endpoint]]
name = "{way}"
url = "{scheme}://me:{password}@127.0.0.1:{port}/{way}?key={key}"
kind = "prometheus"
every = "1s"
timeout = "1s"
keep = "all"
"""

CONFIG = """
[[endpoint]]
name = "basic"
url = "http://127.0.0.1:{port}/401"
metrics_url = "http://you:{page_password}@127.0.0.1:{port}/page"
kind = "vllm"
every = "1s"
timeout = "1s"
headers = {{ X_LOGIN = {{ env = "BASIC", prefix = "Basic " }} }}
canary = {{ path = "/v1/chat", every = "1s", body = '{{"key": "{canary_body}"}}' }}
[[rule]]
name = "gone"
when = "down for 1s"
severity = 1
[[channel]]
name = "hook"
type = "webhook"
url = "http://u:{hook_password}@127.0.0.1:{port}/hook/{hook_path}?key={hook_key}"
headers = {{ X_KEY = {{ file = "hook_header" }} }}
[[channel]]
name = "phone"
type = "pagerduty"
url = "http://127.0.0.1:{port}/phone"
api = "http://a:{api_password}@127.0.0.1:{port}/api"
routing_key = {{ env = "ROUTING_KEY" }}
token = {{ file = "token" }}
[[channel]]
name = "script"
type = "command"
command = ["/bin/sh", "-c", "echo $VARIABLE >&2; exit 3"]
environment = ["VARIABLE"]
[[channel]]
name = "other"
type = "apprise"
url = "json://u:{service}@127.0.0.1:{port}/other"
services = ["json"]
[[route]]
to = ["hook", "phone", "script", "other"]
[heartbeat]
url = "http://127.0.0.1:{port}/beat/{beat_path}"
every = "10s"
[intake]
token = {{ file = "intake" }}
listen = "127.0.0.1:0"
[[alertmanager]]
url = "http://u:{manager_password}@127.0.0.1:{port}/manager"
every = "1s"
headers = {{ X_KEY = {{ env = "MANAGER_HEADER" }} }}
"""

WAYS = (*FAILURES, "page", "redirect", "reset")

COMMANDS: tuple[tuple[str, ...], ...] = (
    *(("check",), ("check", "--json"), ("status",), ("status", "--json"), ("alerts", "--json")),
    *(("doctor",), ("rules", "stats"), ("backup", "copy")),
    *(("export", "--format", name, "--since", "1h", f"out.{name}") for name in ("csv", "jsonl")),
    ("export", "--format", "sqlite", "--since", "1h", "out.db"),
)


def written(folder: Path, port: int) -> dict[str, str]:
    """Write the configuration and the files of its secrets; returns the environment for it."""
    quoted = {name: quote(value, safe="") for name, value in SECRETS.items()}
    plain = quoted | {name: ASCII[name] for name in ("header_text", "cookie", "canary_body")}
    text = 'store = "store"\n'
    for way in (*WAYS, "tls"):
        settings = {"password": quoted["url_password"], "key": quoted["url_key"], "port": port}
        scheme = "https" if way == "tls" else "http"
        text += ENDPOINT.format(way=way, scheme=scheme, **settings)
        text += HEADERS.format_map(plain).replace("\n", "") + "\n" if way != "page" else ""
    config = folder / "watchdeck.toml"
    config.write_text(text + CONFIG.format_map(plain | {"port": str(port)}))
    config.chmod(0o600)
    for name in ("header_file", "hook_header", "token", "intake"):
        path = folder / name
        path.write_text(f"{ASCII[name]}\n")
        path.chmod(0o600)
    encoded = base64.b64encode(f"me:{SECRETS['basic']}".encode()).decode()
    names = ("header_env", "routing_key", "variable", "manager_header")
    return os.environ | {name.upper(): ASCII[name] for name in names} | {"BASIC": encoded}


def run(folder: Path, environ: dict[str, str], *words: str) -> bytes:
    command = [sys.executable, "-m", "watchdeck", *words]
    ran = subprocess.run(command, cwd=folder, env=environ, capture_output=True, check=False)
    assert ran.returncode in (0, 1, 2, 3), ran.stderr
    return ran.stdout + ran.stderr


def forms_of(value: str) -> Iterator[bytes]:
    for one in {value, value.replace("é", "e")}:
        yield one.encode()
        yield quote(one, safe="").encode()
        yield one.encode("ascii", "backslashreplace")
        for offset in range(3):
            text = base64.b64encode(b"x" * offset + one.encode())
            yield text[4 if offset else 0 : -4]


def texts_with_secrets(texts: dict[str, bytes]) -> list[tuple[str, str, bytes]]:
    return [
        (name, secret, text[max(0, text.index(form) - 60) :][:160])
        for name, text in texts.items()
        for secret, value in SECRETS.items()
        for form in forms_of(value)
        if form in text
    ]


def test_no_secret_leaves_the_process(tmp_path: Path) -> None:
    with echoing() as port:
        environ = written(tmp_path, port)
        log = (tmp_path / "log").open("wb")
        command = [sys.executable, "-m", "watchdeck", "collect", "--log-level", "debug"]
        process = subprocess.Popen(command, cwd=tmp_path, env=environ, stderr=log)
        try:
            wait_for(*WAYS, "hook", "phone", "beat", "manager")
            texts = {" ".join(words): run(tmp_path, environ, *words) for words in COMMANDS}
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
            log.close()
    given = {"watchdeck.toml", "header_file", "hook_header", "token", "intake"}
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name not in given]
    texts |= {str(path.relative_to(tmp_path)): path.read_bytes() for path in files}
    assert texts_with_secrets(texts) == []
    assert {"store/metrics.db", "store/state.db", "copy/state.db", "log"} <= texts.keys()
    assert b'said="(secret)' in texts["copy/metrics.db"]


def settings_types(kind: type = Settings) -> Iterator[type]:
    """The type of a table and those of its inner tables."""
    yield kind
    for hint in get_type_hints(kind).values():
        for inner in types_in(hint):
            if issubclass(inner, Struct) and inner is not Secret:
                yield from settings_types(inner)


def types_in(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and not getattr(hint, "__args__", ()):
        yield hint
    for inner in getattr(hint, "__args__", ()):
        yield from types_in(inner)


def test_every_setting_that_may_be_a_secret_is_hidden() -> None:
    found = {
        (kind, name)
        for kind in settings_types()
        for name, hint in get_type_hints(kind).items()
        if Secret in types_in(hint)
    }
    assert found == {(kind, name) for kind, names in SECRET_SETTINGS.items() for name in names}


def test_every_address_in_the_settings_is_searched_for_keys() -> None:
    known = {
        (kind, name)
        for table in (SECRET_SETTINGS, ADDRESS_SETTINGS)
        for kind, names in table.items()
        for name in names
    }
    found = {
        (kind, name)
        for kind in settings_types()
        for name, hint in get_type_hints(kind).items()
        if name.endswith(("url", "api")) and str in types_in(hint)
    }
    assert found <= known


@pytest.mark.parametrize("kind", SECRET_SETTINGS)
def test_the_canaries_fill_every_setting_that_may_be_a_secret(tmp_path: Path, kind: type) -> None:
    written(tmp_path, 1)
    tables = [one for one in secret_tables(load(tmp_path / "watchdeck.toml")) if type(one) is kind]
    for name in SECRET_SETTINGS[kind]:
        assert any(getattr(table, name) for table in tables)
