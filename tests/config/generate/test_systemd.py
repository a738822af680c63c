import re
import shutil
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from watchdeck.config.generate.systemd import UnitSpec, unit
from watchdeck.config.load import store_path
from watchdeck.domain.settings.configuration import Settings
from watchdeck.errors import ConfigError

ANALYZE = shutil.which("systemd-analyze")

SYSTEM = UnitSpec(
    ("/opt/watchdeck/bin/python", "-m", "watchdeck"),
    Path("/etc/watchdeck/watchdeck.toml"),
    Path("/var/lib/watchdeck"),
    "watchdeck",
)
PERSONAL = UnitSpec(
    ("/home/me/.venv/bin/python", "-m", "watchdeck"),
    Path("/home/me/.config/watchdeck/watchdeck.toml"),
    Path("/home/me/.local/state/watchdeck"),
    "me",
)


def lines(service: UnitSpec) -> list[str]:
    return unit(service).splitlines()


def test_it_runs_the_collector_on_the_configuration() -> None:
    command = (
        "/opt/watchdeck/bin/python -m watchdeck --config /etc/watchdeck/watchdeck.toml collect"
    )
    assert f"ExecStart={command}" in lines(SYSTEM)


def test_a_store_where_services_keep_theirs_is_made_by_systemd() -> None:
    assert "StateDirectory=watchdeck" in lines(SYSTEM)
    assert "ProtectHome=yes" in lines(SYSTEM)
    assert "ReadWritePaths" not in unit(SYSTEM)


def test_a_store_at_home_is_the_only_place_there_that_may_be_written() -> None:
    assert "ReadWritePaths=/home/me/.local/state/watchdeck" in lines(PERSONAL)
    assert "ProtectHome=read-only" in lines(PERSONAL)
    assert "StateDirectory=" not in unit(PERSONAL)


def test_a_store_that_no_configuration_names_stays_where_it_is_now() -> None:
    service = replace(PERSONAL, store_by_default=True)
    assert "Environment=XDG_STATE_HOME=/home/me/.local/state" in lines(service)
    assert "Environment=" not in unit(PERSONAL)
    assert store_path(Settings(), {"XDG_STATE_HOME": "/home/me/.local/state"}) == PERSONAL.store


@pytest.mark.parametrize(
    ("path", "written"),
    [
        pytest.param("/srv/my deck/w.toml", '"/srv/my deck/w.toml"', id="a blank"),
        pytest.param("/srv/100%/w.toml", "/srv/100%%/w.toml", id="a specifier's sign"),
        pytest.param("/srv/$HOME/w.toml", "/srv/$$HOME/w.toml", id="a variable's sign"),
        pytest.param('/srv/"a"/w.toml', '"/srv/\\"a\\"/w.toml"', id="quotes"),
        pytest.param("/srv/a\\x20/w.toml", '"/srv/a\\\\x20/w.toml"', id="a backslash"),
        pytest.param("/srv/a;b/w.toml", '"/srv/a;b/w.toml"', id="a semicolon"),
    ],
)
def test_a_path_is_one_word_of_the_command(path: str, written: str) -> None:
    service = UnitSpec(("/usr/bin/watchdeck",), Path(path), Path("/var/lib/w"), "watchdeck")
    assert f"ExecStart=/usr/bin/watchdeck --config {written} collect" in lines(service)


def test_a_path_that_would_end_its_line_is_refused() -> None:
    service = UnitSpec(("/usr/bin/watchdeck",), Path("/a\nUser=root"), Path("/var/lib/w"), "w")
    with pytest.raises(ConfigError, match="a unit cannot hold"):
        unit(service)


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed (apt: systemd)")
@pytest.mark.parametrize("service", [SYSTEM, PERSONAL], ids=["of the system", "of a user"])
def test_what_it_exposes_is_rated_at_most_2(tmp_path: Path, service: UnitSpec) -> None:
    assert ANALYZE is not None
    path = tmp_path / "watchdeck.service"
    path.write_text(unit(service))
    done = subprocess.run(
        [ANALYZE, "security", "--offline=true", "--no-pager", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    rated = re.search(r"Overall exposure level for watchdeck.service: ([\d.]+)", done.stdout)
    assert rated is not None, done.stderr
    assert float(rated[1]) <= 2.0


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed (apt: systemd)")
def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    assert ANALYZE is not None
    program = shutil.which("true")
    assert program is not None
    service = UnitSpec((program,), Path("/srv/my deck/100%.toml"), Path("/srv/my deck/s"), "root")
    path = tmp_path / "watchdeck.service"
    path.write_text(unit(service))
    done = subprocess.run(
        [ANALYZE, "verify", "--man=no", str(path)], capture_output=True, text=True, check=False
    )
    assert "watchdeck.service" not in done.stderr, done.stderr
