"""Who is heard: what a configuration may not say of it."""

from pathlib import Path

import pytest

from config.config_files import ONE, problems, write
from watchdeck.config.checks.intake import parse_listen_address
from watchdeck.config.load import load
from watchdeck.domain.settings.intake import Alertmanager, Intake
from watchdeck.domain.values.secret import Secret

INTAKE = '[intake]\ntoken = { env = "TOKEN" }\n'
ASKED = '[[alertmanager]]\nurl = "http://am:9093"\n'


def test_nobody_is_heard_unless_the_configuration_says_so(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, ONE))
    assert (loaded.intake, loaded.alertmanager) == (None, ())


def test_an_intake_and_an_alertmanager_need_little(tmp_path: Path) -> None:
    text = f'{ONE}{INTAKE}{ASKED}headers = {{ Authorization = {{ file = "key" }} }}\n'
    loaded = load(write(tmp_path, text))
    assert loaded.intake == Intake(Secret(env="TOKEN"))
    [asked] = loaded.alertmanager
    assert asked == Alertmanager(
        "http://am:9093", headers={"Authorization": Secret(file=str(tmp_path / "key"))}
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("[intake]\n", "intake has no 'token'.", id="no token"),
        pytest.param(
            '[intake]\ntoken = "x"', "intake.token must be a table with", id="in the open"
        ),
        pytest.param("[intake]\ntoken = {}", "intake.token needs one of env and file.", id="empty"),
        pytest.param(
            '[intake]\ntoken = { env = "T", prefix = "Bearer " }',
            "intake.token.prefix has no use. The sender writes Bearer itself.",
            id="a prefix",
        ),
        pytest.param(
            f'{INTAKE}listen = "0.0.0.0:9193"',
            "intake.listen can be reached from other machines. Add exposed = true if that is",
            id="exposed by chance",
        ),
        pytest.param(
            f'{INTAKE}listen = "9193"', "intake.listen is no address to listen on.", id="a port"
        ),
        pytest.param(f'{INTAKE}max_body = "1GiB"', "intake.max_body is 1GiB, more", id="too large"),
        pytest.param(
            f'{INTAKE}deadman = "a\\u001bb"', "intake.deadman is too long, or has", id="a dead man"
        ),
        pytest.param(
            '[[alertmanager]]\nurl = "am:9093"',
            "alertmanager[0].url has no scheme.",
            id="no scheme",
        ),
        pytest.param(
            f'{ASKED}name = "prometheus"',
            "alertmanager[0].name is the name of another source. Taken are watchdeck,",
            id="a name of ours",
        ),
        pytest.param(
            f'{ASKED}name = "a b"', "alertmanager[0].name is no name.", id="a name with a blank"
        ),
        pytest.param(
            ASKED * 2, "alertmanager[1].name is the name of alertmanager[0] too.", id="twice"
        ),
        pytest.param(
            f'{ASKED}every = "1ms"', "alertmanager[0].every is 1ms, less than 1s.", id="too often"
        ),
        pytest.param(
            f'{ASKED}external_url = "am"',
            "alertmanager[0].external_url has no scheme.",
            id="what it calls itself",
        ),
        pytest.param(
            f'{ASKED}headers = {{ Authorization = "Bearer x" }}',
            "alertmanager[0].headers.Authorization is a secret in a file that others can read.",
            id="a secret in the open",
        ),
        pytest.param(
            f"{ASKED}mirrored = true",
            "alertmanager[0].mirrored is not a setting. Did you mean 'mirror'?",
            id="a setting that is near",
        ),
    ],
)
def test_what_cannot_be_meant_is_told(tmp_path: Path, text: str, said: str) -> None:
    assert problems(tmp_path, ONE + text)[0].startswith(said)


def test_so_many_alertmanagers_are_a_mistake(tmp_path: Path) -> None:
    many = "".join(f'{ASKED}name = "am-{number}"\n' for number in range(51))
    assert problems(tmp_path, ONE + many) == ["alertmanager has 51 entries; at most 50 are taken."]


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    text = f'{INTAKE}listen = "x"\nmax_body = "1B"\n{ASKED}every = "1ms"\ntimeout = "1h"\n'
    assert len(problems(tmp_path, text)) == 4


@pytest.mark.parametrize(
    ("listen", "place"),
    [
        ("127.0.0.1:9193", ("127.0.0.1", 9193)),
        ("[::1]:0", ("::1", 0)),
        ("localhost:80", ("localhost", 80)),
        ("localhost:99999", None),
        (":9193", None),
    ],
)
def test_an_address_to_listen_on_is_a_host_and_a_port(
    listen: str, place: tuple[str, int] | None
) -> None:
    assert parse_listen_address(listen) == place


def test_what_is_meant_is_taken(tmp_path: Path) -> None:
    load(write(tmp_path, f'{ONE}{INTAKE}listen = "0.0.0.0:9193"\nexposed = true\n'))
    load(write(tmp_path, f'{ONE}{INTAKE}listen = "localhost:9193"\n'))
    private = f'{ONE}{ASKED}headers = {{ Authorization = "Bearer x" }}\n'
    load(write(tmp_path, private, 0o600))
