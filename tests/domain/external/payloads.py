"""What other systems said: captured bodies, and bodies made by hand."""

import json
from pathlib import Path
from typing import Any

PAGES = Path(__file__).parents[2] / "pages" / "alertmanager"
WEBHOOKS = sorted(path.stem for path in PAGES.glob("am025_webhook_*.json"))
ZERO = "0001-01-01T00:00:00Z"
NOW = 1_795_410_310_000
"""2026-11-23 05:05:10 UTC."""


def captured(name: str) -> tuple[bytes, int]:
    """A webhook that Alertmanager sent, and when it came (ms UTC)."""
    record = json.loads((PAGES / f"am025_webhook_v4_{name}.json").read_text())
    return json.dumps(record["body"]).encode(), round(record["received_at"] * 1_000)


def listed(name: str) -> bytes:
    """What Alertmanager answered."""
    return (PAGES / f"am025_api_v2_{name}.json").read_bytes()


def alert(name: str = "Slow", **changed: Any) -> dict[str, Any]:
    """One alert as Go writes it."""
    plain = {
        "labels": {"alertname": name, "model": "fraud", "severity": "critical"},
        "annotations": {"summary": "it is slow"},
        "startsAt": "2026-11-23T05:00:00.123456789Z",
        "endsAt": ZERO,
        "generatorURL": "http://prometheus:9090/graph?g0.expr=x",
    }
    return plain | changed


def webhook(*alerts: Any, **changed: Any) -> bytes:
    """A webhook of version 4 with these alerts."""
    return json.dumps({"version": "4", "alerts": list(alerts)} | changed).encode()


def posted(*alerts: Any) -> bytes:
    """A POST of Prometheus with these alerts."""
    return json.dumps(list(alerts)).encode()
