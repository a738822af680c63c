"""A systemd unit for the collector: as little of the machine as it needs, and started again."""

from __future__ import annotations

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
Type=exec
ExecStart={command}
User={user}
UMask=0077
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
    """What a unit is made for; all paths are absolute.

    `program` is how watchdeck is started, without its arguments. `store_by_default` tells that the
    configuration names no store: the unit then fixes where the default is.
    """

    program: Sequence[str]
    config: Path
    store: Path
    user: str
    store_by_default: bool = False


def unit(service: UnitSpec) -> str:
    """The text of a unit that runs `watchdeck collect`.

    Raises ConfigError when a path holds what a unit cannot. The collector does not talk to
    systemd, so a unit that has started is one whose program runs, not yet one that collects.
    """
    command = (*service.program, "--config", str(service.config), "collect")
    paths = (service.program[0], str(service.config), str(service.store))
    at_home = any(path.startswith(tuple(f"{home}/" for home in _HOMES)) for path in paths)
    return _UNIT.format(
        command=" ".join(_word(text).replace("$", "$$") for text in command),
        user=_plain(service.user),
        store="\n".join(_store(service)),
        environment=_plain(str(service.config.parent / "environment")),
        home="read-only" if at_home else "yes",
    )


def _store(service: UnitSpec) -> Iterator[str]:
    """The one place that may be written; systemd makes it where services keep their state."""
    path, word = service.store, _word(str(service.store))
    if service.store_by_default:
        yield f"Environment={_word(f'XDG_STATE_HOME={path.parent}')}"
    if path.is_relative_to(_STATE) and path != _STATE:
        yield f"StateDirectory={_word(str(path.relative_to(_STATE)))}"
        yield "StateDirectoryMode=0700"
    else:
        yield f"# It must be there before the first start: mkdir -m 700 -p {word}"
        yield f"ReadWritePaths={word}"


def _plain(text: str) -> str:
    """A value that goes to the end of its line as it is, `%` doubled."""
    if not text.isprintable():
        raise ConfigError(f"a unit cannot hold {text!r}. Use a name without such characters.")
    return text.replace("%", "%%")


def _word(text: str) -> str:
    """One word of several: quoted where it has to be."""
    escaped = _plain(text).replace("\\", "\\\\").replace('"', '\\"')
    needed = set(text) & set(" ';#\\\"")
    return f'"{escaped}"' if needed else escaped
