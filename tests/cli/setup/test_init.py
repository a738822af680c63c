import getpass
import os
import stat
import sys
from pathlib import Path

import pytest

from cli.commands import run, run_beside
from servers.captured import captured, saying
from watchdeck.cli.setup.init import command
from watchdeck.config.load import load
from watchdeck.domain.settings.configuration import Settings


@pytest.mark.parametrize(
    ("folder", "port", "kind", "model"),
    [
        pytest.param("mlserver-1.7.1", 18082, "mlserver", "iris", id="MLServer"),
        pytest.param("bentoml-1.4.39", 18100, "bentoml", None, id="BentoML"),
        pytest.param("litserve-0.2.19", 18090, "litserve", None, id="LitServe"),
        pytest.param("mlflow-3.17.2", 18110, "mlflow", None, id="MLflow"),
    ],
)
async def test_a_real_server_is_recognised_and_written(
    tmp_path: Path, folder: str, port: int, kind: str, model: str | None
) -> None:
    path = tmp_path / "watchdeck.toml"
    async with captured(folder, port) as server:
        ran = await run_beside(command, server.url(), "--output", path)
        [endpoint] = load(path).endpoint
        assert (endpoint.url, endpoint.kind, endpoint.model) == (server.url(), kind, model)
    assert ran.code == 0
    assert ran.out.endswith(f"Wrote {path}. `watchdeck check` tries all of it.\n")


async def test_what_was_asked_is_told_with_its_answers(tmp_path: Path) -> None:
    async with captured("litserve-0.2.19", 18090) as server:
        ran = await run_beside(command, server.url(), "--output", tmp_path / "watchdeck.toml")
    [asked] = [line for line in ran.out.splitlines() if line.startswith("  asked: ")]
    requests = [one.split(" ")[0] for one in asked.removeprefix("  asked: ").split(", ")]
    assert requests == server.asked
    assert "/info 200" in asked


async def test_a_kind_that_is_not_sure_is_told_and_not_written(tmp_path: Path) -> None:
    path = tmp_path / "watchdeck.toml"
    async with saying(b"# TYPE my_requests counter\nmy_requests_total 3\n") as server:
        ran = await run_beside(command, server.url(), "--output", path)
        [endpoint] = load(path).endpoint
    assert endpoint.kind == "auto"
    assert "a metrics page of no known kind of server; kind is not written" in ran.out
    assert '#requests = "my_requests_total"' in path.read_text()


async def test_several_servers_become_one_configuration(tmp_path: Path) -> None:
    path = tmp_path / "watchdeck.toml"
    async with captured("bentoml-1.4.39", 18100) as one, saying(b"<html>") as other:
        urls = [one.url(), other.url(), one.url(), "http://127.0.0.1:1"]
        ran = await run_beside(command, *urls, "--output", path)
    assert [endpoint.kind for endpoint in load(path).endpoint] == ["bentoml", "auto", "auto"]
    assert "an HTML or XML page came" in ran.out
    assert "the connection was refused" in ran.out
    assert ran.code == 0


async def test_an_address_without_a_scheme_is_taken_as_http(tmp_path: Path) -> None:
    path = tmp_path / "watchdeck.toml"
    async with captured("bentoml-1.4.39", 18100) as server:
        await run_beside(command, f"127.0.0.1:{server.port}", "--output", path)
        assert load(path).endpoint[0].url == server.url()


def test_without_an_address_a_starter_is_written(tmp_path: Path) -> None:
    path = tmp_path / "watchdeck.toml"
    assert run(command, "--output", path).code == 0
    assert load(path) == Settings()
    assert '#[[endpoint]]\n#name = "fraud"\n' in path.read_text()


def test_what_is_written_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "watchdeck.toml"
    run(command, "--output", path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [*tmp_path.iterdir()] == [path]


def test_a_configuration_that_is_there_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "watchdeck.toml"
    path.write_text("# mine\n")
    ran = run(command, "--output", path)
    assert (ran.code, path.read_text()) == (1, "# mine\n")
    assert ran.err == (
        f"Error: {path} is there already. --force overwrites it, --output FILE writes another.\n"
    )


def test_force_overwrites_a_configuration(tmp_path: Path) -> None:
    path = tmp_path / "watchdeck.toml"
    path.write_text("# mine\n")
    assert run(command, "--output", path, "--force").code == 0
    assert load(path) == Settings()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "watchdeck.toml"
    ran = run(command, "--output", path)
    assert ran.code == 1
    assert f"{path} cannot be written: No such file or directory." in ran.err


@pytest.mark.parametrize(
    ("url", "said"),
    [
        pytest.param("ftp://h", "cannot be asked over ftp. Write http or https.", id="ftp"),
        pytest.param("http://", "names no host.", id="no host"),
        pytest.param("http://h/\x1b[2J", "has a character that no screen shows.", id="an escape"),
    ],
)
def test_an_address_that_cannot_be_asked_is_a_mistake_of_usage(
    tmp_path: Path, url: str, said: str
) -> None:
    ran = run(command, url, "--output", tmp_path / "watchdeck.toml")
    assert ran.code == 2
    assert said in ran.err
    assert "\x1b" not in ran.err
    assert [*tmp_path.iterdir()] == []


class TestSystemd:
    def configured(self, folder: Path, text: str) -> Path:
        path = folder / "watchdeck.toml"
        path.write_text(text)
        return path

    def test_a_unit_runs_this_watchdeck_on_the_configuration(self, tmp_path: Path) -> None:
        path = self.configured(tmp_path, 'store = "/var/lib/deck"')
        ran = run(command, "--systemd", config=path)
        assert ran.code == 0
        assert f"ExecStart={sys.executable} -m watchdeck --config {path} collect\n" in ran.out
        assert "StateDirectory=deck\n" in ran.out
        user = "watchdeck" if os.geteuid() == 0 else getpass.getuser()
        assert f"User={user}\n" in ran.out

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root writes units for other users")
    def test_root_is_asked_for_a_store_that_the_service_can_write(self, tmp_path: Path) -> None:
        ran = run(command, "--systemd", config=self.configured(tmp_path, ""))
        assert ran.code == 1
        assert 'names no store. A service needs one of its own: write store = "/var' in ran.err

    def test_a_configuration_with_problems_gets_no_unit(self, tmp_path: Path) -> None:
        ran = run(command, "--systemd", config=self.configured(tmp_path, "stor = 1"))
        assert (ran.code, ran.out) == (1, "")
        assert "stor is not a setting. Did you mean 'store'?" in ran.err

    def test_a_unit_is_not_for_addresses(self) -> None:
        assert run(command, "--systemd", "http://h").code == 2
