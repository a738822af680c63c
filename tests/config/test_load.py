import os
from contextlib import chdir
from pathlib import Path

import pytest

from config.config_files import FULL, problems, write
from watchdeck.config.load import find, load, store_path
from watchdeck.domain.settings.configuration import Retention, Settings
from watchdeck.domain.settings.endpoint import Canary, Endpoint, Keep, Slo
from watchdeck.domain.values.secret import Secret, Tls
from watchdeck.domain.values.units import Bytes, Milliseconds, Ratio
from watchdeck.errors import ConfigError


def test_a_full_configuration_becomes_the_domain_s_types(tmp_path: Path) -> None:
    settings = load(write(tmp_path, FULL))
    fraud, features, gpu = settings.endpoint
    assert fraud == Endpoint(
        name="fraud",
        url="http://fraud.internal:8080",
        kind="mlserver",
        metrics_url="http://fraud.internal:8082/metrics",
        model="fraud",
        every=Milliseconds(15_000),
        timeout=Milliseconds(2_500),
        labels={"team": "risk", "data centre": "eu-1"},
        owner="risk-ml",
        tier=1,
        serves=("card payments",),
        depends_on=("features",),
        resources=("gpu-7",),
        slo=Slo(Ratio(0.999), Milliseconds(200), Ratio(0.01)),
        headers={
            "Authorization": Secret(env="TOKEN", prefix="Bearer "),
            "X-Api-Key": Secret(file=f"{Path.home()}/keys/fraud"),
            "X-Tenant": "risk",
        },
        tls=Tls(f"{tmp_path}/ca.pem", "/etc/ssl/me.pem", f"{tmp_path}/me.key"),
        exclude_paths=("/livez", "/readyz", "/docs*"),
        canary=Canary(
            "/v2/models/fraud/infer",
            body_file=f"{tmp_path}/canary.json",
            expect="$.outputs[0].data[0] in [0, 1]",
        ),
        keep=("model_infer_*", "process_*"),
        max_body=Bytes(2 << 20),
        max_series=10_000,
    )
    assert type(fraud.every) is Milliseconds
    assert (features.keep, list(features.map)) == (Keep.ALL, ["requests", "errors", "latency"])
    assert gpu == Endpoint("gpu-7", "http://gpu-7:9400", "dcgm")
    assert settings.store == f"{tmp_path}/kept"
    assert settings.retention == Retention(
        Milliseconds(14 * 86_400_000), Milliseconds(392 * 86_400_000), Bytes(2 << 30)
    )


def test_a_name_and_a_url_are_enough(tmp_path: Path) -> None:
    path = write(tmp_path, '[[endpoint]]\nname = "llm"\nurl = "http://llm:8000"\n')
    assert load(path) == Settings((Endpoint("llm", "http://llm:8000"),))


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "\ufeff# from another editor\n"])
def test_a_configuration_without_endpoints_is_one(tmp_path: Path, text: str) -> None:
    assert load(write(tmp_path, text)) == Settings()


class TestFind:
    def test_the_option_goes_before_the_environment(self) -> None:
        found = find("given.toml", {"WATCHDECK_CONFIG": "other.toml"})
        assert found == Path("given.toml")

    def test_what_the_environment_names_is_taken_even_where_it_is_missing(self) -> None:
        found = find(None, {"WATCHDECK_CONFIG": "/nowhere/watchdeck.toml"})
        assert found == Path("/nowhere/watchdeck.toml")

    def test_the_working_directory_goes_before_the_user_s(self, tmp_path: Path) -> None:
        users = tmp_path / "users" / "watchdeck"
        users.mkdir(parents=True)
        environ = {"XDG_CONFIG_HOME": str(users.parent), "WATCHDECK_CONFIG": ""}
        with chdir(tmp_path):
            assert find(None, environ) is None
            write(users, "")
            assert find(None, environ) == users / "watchdeck.toml"
            write(tmp_path, "")
            assert find(None, environ) == Path("watchdeck.toml")

    def test_without_a_base_directory_it_is_below_the_home(self, tmp_path: Path) -> None:
        users = tmp_path / ".config" / "watchdeck"
        users.mkdir(parents=True)
        wanted = write(users, "")
        with chdir(tmp_path):
            assert find(None, {"HOME": str(tmp_path), "XDG_CONFIG_HOME": "relative"}) == wanted


@pytest.mark.parametrize(
    ("store", "environ", "wanted"),
    [
        pytest.param("/srv/deck", {}, "/srv/deck", id="the configured one"),
        pytest.param(None, {"HOME": "/h"}, "/h/.local/state/watchdeck", id="below the home"),
        pytest.param(
            None, {"HOME": "/h", "XDG_STATE_HOME": "/s"}, "/s/watchdeck", id="the base directory"
        ),
        pytest.param(
            None,
            {"HOME": "/h", "XDG_STATE_HOME": "s"},
            "/h/.local/state/watchdeck",
            id="a relative base directory is none",
        ),
    ],
)
def test_the_store_is_where_it_was_said(
    store: str | None, environ: dict[str, str], wanted: str
) -> None:
    assert store_path(Settings(store=store), environ) == Path(wanted)


@pytest.mark.parametrize(
    ("store", "wanted"),
    [
        pytest.param("kept", "{folder}/kept", id="beside the configuration"),
        pytest.param("~/kept", f"{Path.home()}/kept", id="below the home"),
        pytest.param("/srv/kept", "/srv/kept", id="an absolute path"),
    ],
)
def test_the_path_of_a_store_is_filled_in(tmp_path: Path, store: str, wanted: str) -> None:
    settings = load(write(tmp_path, f'store = "{store}"'))
    assert settings.store == wanted.format(folder=tmp_path)


def test_a_relative_configuration_gives_absolute_paths(tmp_path: Path) -> None:
    write(tmp_path, 'store = "kept"')
    with chdir(tmp_path):
        assert load(Path("watchdeck.toml")).store == f"{tmp_path}/kept"


class TestUnreadable:
    def refusal(self, path: Path) -> str:
        with pytest.raises(ConfigError) as refused:
            load(path)
        return str(refused.value)

    def test_a_missing_file_says_what_writes_one(self, tmp_path: Path) -> None:
        path = tmp_path / "watchdeck.toml"
        assert self.refusal(path) == (
            f"{path}: there is no such file. `watchdeck init URL` writes one."
        )

    def test_a_folder_is_no_configuration(self, tmp_path: Path) -> None:
        assert self.refusal(tmp_path) == f"{tmp_path}: cannot be read: Is a directory."

    def test_a_path_that_is_none_is_refused(self) -> None:
        assert self.refusal(Path("a\0b")) == "a^@b: cannot be read: its path is not one."

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_a_closed_file_is_refused(self, tmp_path: Path) -> None:
        assert "Permission denied" in self.refusal(write(tmp_path, "", 0o000))

    def test_bytes_that_are_no_text_name_their_line(self, tmp_path: Path) -> None:
        path = tmp_path / "watchdeck.toml"
        path.write_bytes(b"# one\n# two \xff\xfe\n")
        assert self.refusal(path) == f"{path}: line 2 is not UTF-8 text."

    def test_a_file_without_end_is_read_within_bounds(self) -> None:
        assert self.refusal(Path("/dev/zero")) == "/dev/zero: is over 4 MiB."

    def test_too_many_endpoints_are_refused(self, tmp_path: Path) -> None:
        one = '[[endpoint]]\nname = "{0}"\nurl = "http://h"\n'
        said = problems(tmp_path, "".join(one.format(number) for number in range(10_001)))
        assert said == ["endpoint has 10001 entries; at most 10000 are taken."]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("a = \n", "line 1, column 5: invalid value.", id="a value is missing"),
        pytest.param("\nname = fraud\n", "line 2, column 8: invalid value.", id="no quotes"),
        pytest.param('store = "a', "at its end: ", id="a quote is missing"),
        pytest.param("[[endpoint]\n", "line 1, column 11: ", id="one bracket"),
        pytest.param('store = "a"\nstore = "b"\n', "line 2, column", id="a key twice"),
        pytest.param("a" * 70_000, "at its end: expected '='", id="a long line"),
        pytest.param("a = " + "[" * 5_000, "is nested too deeply.", id="too deep"),
        pytest.param("a = " + "9" * 5_000, "has a number that is too long.", id="too many digits"),
        pytest.param("store = '\x1b[31m'", "line 1, column 10: ", id="an escape"),
    ],
)
def test_a_mistake_of_syntax_has_its_place(tmp_path: Path, text: str, said: str) -> None:
    [line] = problems(tmp_path, text)
    assert line.startswith(said)
    assert line.isprintable()


def test_the_console_can_be_set_and_a_wrong_word_is_named_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "watchdeck.toml"
    path.write_text('[console]\nglyphs = "ascii"\nfilters = { mine = "owner=risk" }\n')
    view = load(path).console
    assert (view.glyphs, view.filters) == ("ascii", {"mine": "owner=risk"})
    path.write_text('[console]\nglyphs = "asci"\nthem = "dark"\n')
    with pytest.raises(ConfigError) as caught:
        load(path)
    said = str(caught.value)
    assert "console.glyphs is not a way to draw. Did you mean 'ascii'?" in said
    assert "console.them is not a setting. Did you mean 'theme'?" in said
