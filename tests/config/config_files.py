"""Configurations for tests, written as people write them."""

from pathlib import Path

import pytest

from watchdeck.config.load import load
from watchdeck.config.reading.problems import ConfigProblems

ONE = '[[endpoint]]\nname = "a"\nurl = "http://h"\n'
FULL = """
store = "kept"

[[endpoint]]
name = "fraud"
url = "http://fraud.internal:8080"
kind = "mlserver"
metrics_url = "http://fraud.internal:8082/metrics"
model = "fraud"
every = "15s"
timeout = "2.5s"
labels = { team = "risk", "data centre" = "eu-1" }
owner = "risk-ml"
tier = 1
serves = ["card payments"]
depends_on = ["features"]
resources = ["gpu-7"]
slo = { availability = "99.9%", latency_p95 = "200ms", error_ratio = 0.01 }
exclude_paths = ["/livez", "/readyz", "/docs*"]
keep = ["model_infer_*", "process_*"]
max_body = "2MiB"
max_series = 10000

[endpoint.headers]
Authorization = { env = "TOKEN", prefix = "Bearer " }
X-Api-Key = { file = "~/keys/fraud" }
X-Tenant = "risk"

[endpoint.tls]
ca = "ca.pem"
certificate = "/etc/ssl/me.pem"
key = "me.key"

[endpoint.canary]
path = "/v2/models/fraud/infer"
body_file = "canary.json"
expect = "$.outputs[0].data[0] in [0, 1]"
every = "1m"

[[endpoint]]
name = "features"
url = "https://features.internal/metrics"
keep = "all"

[endpoint.map]
requests = "flask_http_request_total"
errors = 'flask_http_request_total{status=~"5.."}'
latency = "flask_http_request_duration_seconds"

[[endpoint]]
name = "gpu-7"
url = "http://gpu-7:9400"
kind = "dcgm"

[retention]
raw = "14d"
rollups = "56w"
budget = "2GiB"
"""


def write(folder: Path, text: str, mode: int = 0o644) -> Path:
    path = folder / "watchdeck.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def problems(folder: Path, text: str, mode: int = 0o644) -> list[str]:
    """The problems of a configuration as they are told, without the file's name."""
    path = write(folder, text, mode)
    with pytest.raises(ConfigProblems) as refused:
        load(path)
    lines = str(refused.value).splitlines()
    assert all(line.startswith(f"{path}: ") for line in lines)
    return [line.removeprefix(f"{path}: ") for line in lines]
