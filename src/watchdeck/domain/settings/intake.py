"""Sources of external alerts: the webhook server of watchdeck, and the Alertmanagers it polls."""

from msgspec import Struct, field

from watchdeck.domain.values.secret import Secret, Tls
from watchdeck.domain.values.units import Bytes, Milliseconds

PROMETHEUS = "prometheus"
"""The source name of alerts that are posted to /api/v2/alerts."""

EVENTS = "cloudevents"
"""The source name of events that are posted to /events."""

ALERTMANAGER = "alertmanager"
"""The source name of webhooks from an Alertmanager that is not configured."""


NO_DATA_ALERTS = (
    "TargetDown",
    "InstanceDown",
    "HostDown",
    "NodeDown",
    "JobMissing",
    "PrometheusTargetMissing",
    "PrometheusAllTargetsMissing",
    "PrometheusJobMissing",
    "PrometheusTargetEmpty",
    "ModelMetricAbsent",
    "DatasourceNoData",
    "DatasourceError",
)
"""Whole names of alerts that say that a target sends no data, as common rule packs have them."""


class Intake(Struct, frozen=True):
    """The HTTP server that receives alerts and changes of other systems, all with the token."""

    token: Secret
    """Bearer token that senders must send."""
    listen: str = "127.0.0.1:9193"
    """Host and port; a host other than loopback needs `exposed`."""
    exposed: bool = False
    """Whether other machines may reach `listen`; put TLS in front of such an address."""
    max_body: Bytes = Bytes(4 << 20)
    """Most bytes of a request; a larger one is refused with status 413."""
    deadman: str = ""
    """Name of an alert that always fires while the sender works; empty for none."""
    no_data_alerts: tuple[str, ...] = NO_DATA_ALERTS
    """Names of alerts that say that a target sends no data: the ends of its others are in doubt."""
    silent_after: Milliseconds = Milliseconds(9 * 3_600_000)
    """How long an open alert may go unrepeated before its webhook sender counts as silent."""


class Alertmanager(Struct, frozen=True):
    """An Alertmanager that is polled for its active alerts."""

    url: str
    """Address of the Alertmanager, http or https."""
    name: str = ALERTMANAGER
    """Name of the source on every screen and in the label `source`; each has its own."""
    external_url: str | None = None
    """Address in its webhooks, when it differs from `url`."""
    every: Milliseconds = Milliseconds(15_000)
    """Interval of the polls."""
    timeout: Milliseconds = Milliseconds(5_000)
    """Deadline of a poll."""
    resend: Milliseconds = Milliseconds(60_000)
    """How often its senders repeat an alert."""
    resolve_timeout: Milliseconds = Milliseconds(300_000)
    """The `resolve_timeout` in its own configuration."""
    headers: dict[str, str | Secret] = field(default_factory=dict)
    """Headers of every request, each a text or a secret."""
    tls: Tls = field(default_factory=Tls)
    """TLS settings of an https address."""
    deadman: str = ""
    """Name of an alert that always fires while the Alertmanager works; empty for none."""
    no_data_alerts: tuple[str, ...] = NO_DATA_ALERTS
    """Names of alerts that say that a target sends no data: the ends of its others are in doubt."""
    cluster: str = ""
    """Name of its cluster, whose members tell of the same alerts; its own status tells it, too."""
    mirror: bool = False
    """Whether an acknowledgement in watchdeck also creates a silence in this Alertmanager."""
