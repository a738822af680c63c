"""Generates a systemd unit for the collector: minimal permissions, always restarted."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from watchdeck.errors import ConfigError

_STATE = Path("/var/lib")
_HOMES = ("/home", "/root", "/run/user")

_UNIT = """\
# /etc/systemd/system/watchdeck.service
#
#   watchdeck init --systemd | sudo tee /etc/systemd/system/watchdeck.service
#   sudo systemctl daemon-reload && sudo systemctl enable --now watchdeck
#
# Consoles of {user} read the store while the collector writes it.

[Unit]
Description=watchdeck collector
After=network-online.target time-sync.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
WatchdogSec=300
ExecStart={command}
User={user}
UMask=0077
SyslogIdentifier=watchdeck
{store}

# Secrets that the configuration takes from the environment, one NAME=VALUE a line (chmod 600).
EnvironmentFile=-{environment}
# Or as files: name them {{ file = "/run/credentials/watchdeck.service/NAME" }} there.
#LoadCredential=NAME:/etc/watchdeck/NAME

Restart=always
RestartSec=2
TimeoutStopSec=20
MemoryMax=1G
TasksMax=256
LimitNOFILE=16384
OOMScoreAdjust=-200

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome={home}
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
ProcSubset=pid
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""


class UnitSpec(Struct, frozen=True):
    """The values to fill into a systemd unit; all paths are absolute."""

    program: Sequence[str]
    """The command that starts watchdeck, without arguments of watchdeck."""
    config: Path
    store: Path
    user: str
    store_by_default: bool = False
    """Whether the configuration names no store; the unit then sets the path of the default."""


def unit(spec: UnitSpec) -> str:
    """The text of a systemd unit that runs `watchdeck collect`.

    Raises ConfigError when a path has a character that a unit cannot hold. systemd counts the unit
    as started when the collector says so, and starts it anew when it stored nothing for 5 minutes.
    """
    command = (*spec.program, "--config", str(spec.config), "collect")
    paths = (spec.program[0], str(spec.config), str(spec.store))
    at_home = any(path.startswith(tuple(f"{home}/" for home in _HOMES)) for path in paths)
    return _UNIT.format(
        command=" ".join(_quote_word(text).replace("$", "$$") for text in command),
        user=_escape(spec.user),
        store="\n".join(_store(spec)),
        environment=_escape(str(spec.config.parent / "environment")),
        home="read-only" if at_home else "yes",
    )


def _store(spec: UnitSpec) -> Iterator[str]:
    """Lines that make the store the only writable directory; one below /var/lib is created too."""
    path, word = spec.store, _quote_word(str(spec.store))
    if spec.store_by_default:
        yield f"Environment={_quote_word(f'XDG_STATE_HOME={path.parent}')}"
    if path.is_relative_to(_STATE) and path != _STATE:
        yield f"StateDirectory={_quote_word(str(path.relative_to(_STATE)))}"
        yield "StateDirectoryMode=0700"
    else:
        yield f"# It must be there before the first start: mkdir -m 700 -p {word}"
        yield f"ReadWritePaths={word}"


def _escape(text: str) -> str:
    """Escape a value of a unit (`%` doubled). Raises ConfigError for unprintable characters."""
    if not text.isprintable():
        raise ConfigError(f"a unit cannot hold {text!r}. Use a name without such characters.")
    return text.replace("%", "%%")


def _quote_word(text: str) -> str:
    """Escape one of several words in a line of a unit, and quote it where necessary."""
    escaped = _escape(text).replace("\\", "\\\\").replace('"', '\\"')
    special = set(text) & set(" ';#\\\"")
    return f'"{escaped}"' if special else escaped
