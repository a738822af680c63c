import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdeck.config.reading.secrets import SecretError, resolve_secret
from watchdeck.domain.values.secret import Secret

VALUE = "canary-5f1c0e"


def kept(folder: Path, body: bytes = VALUE.encode(), mode: int = 0o600) -> Path:
    path = folder / "token"
    path.write_bytes(body)
    path.chmod(mode)
    return path


def refusal(secret: Secret, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(SecretError) as refused:
        resolve_secret(secret, environ or {})
    assert VALUE not in str(refused.value)
    assert refused.value.__cause__ is None
    return str(refused.value)


def test_a_secret_comes_from_the_environment() -> None:
    assert resolve_secret(Secret(env="TOKEN", prefix="Bearer "), {"TOKEN": f" {VALUE}\n"}) == VALUE


@pytest.mark.parametrize("mode", [0o600, 0o400], ids=["0600", "0400"])
def test_a_secret_comes_from_a_file_of_its_owner_alone(tmp_path: Path, mode: int) -> None:
    path = kept(tmp_path, f"{VALUE}\r\n".encode(), mode)
    assert resolve_secret(Secret(file=str(path)), {}) == VALUE


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o601, 0o644])
def test_a_file_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = kept(tmp_path, mode=mode)
    assert refusal(Secret(file=str(path))) == (
        f"the file {path} is open to others; chmod 600 closes it"
    )


def test_a_credential_of_the_service_manager_is_taken_as_it_gives_it(tmp_path: Path) -> None:
    path = kept(tmp_path, mode=0o440)
    assert resolve_secret(Secret(file=str(path)), {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == VALUE
    path.chmod(0o444)
    assert "open to others" in refusal(
        Secret(file=str(path)), {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = kept(tmp_path)
    os.chown(path, 65_534, 65_534)
    assert "belongs to somebody else" in refusal(Secret(file=str(path)))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"", "is empty", id="an empty file"),
        pytest.param(b" \n\n", "is empty", id="only blanks"),
        pytest.param(f"{VALUE}\nmore".encode(), "more than one line", id="two lines"),
        pytest.param(f"{VALUE}\x1b[0m".encode(), "control characters", id="an escape"),
        pytest.param(f"{VALUE}\0".encode(), "control characters", id="a zero byte"),
        pytest.param(VALUE.encode() + b"\xff", "is not UTF-8 text", id="bytes that are no text"),
        pytest.param(VALUE.encode() * 2_000, "is over 16KiB", id="too much"),
    ],
)
def test_a_file_without_one_line_of_text_is_refused(tmp_path: Path, body: bytes, said: str) -> None:
    assert said in refusal(Secret(file=str(kept(tmp_path, body))))


def test_a_link_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(kept(tmp_path))
    assert "is a symbolic link" in refusal(Secret(file=str(link)))


def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    assert "is not a regular file" in refusal(Secret(file=str(pipe)))


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        pytest.param(Secret(env="TOKEN"), "variable TOKEN is not set", id="not set"),
        pytest.param(Secret(env="EMPTY"), "variable EMPTY is empty", id="set to nothing"),
        pytest.param(Secret(env="TWO"), "more than one line", id="two lines"),
        pytest.param(Secret(), "neither an environment variable nor a file", id="nowhere"),
        pytest.param(Secret(file="/nowhere/at/all"), "No such file", id="no such file"),
        pytest.param(Secret(file="/tmp"), "is not a regular file", id="a folder"),
        pytest.param(Secret(file="a\0b"), "its path is not one", id="a path that is none"),
        pytest.param(Secret(file="~nobody-here/x"), "its path is not one", id="nobody's home"),
    ],
)
def test_a_secret_that_is_not_there_says_where_it_was_looked_for(secret: Secret, said: str) -> None:
    assert said in refusal(secret, {"EMPTY": "", "TWO": f"{VALUE}\n{VALUE}"})


@given(st.binary(max_size=200))
def test_no_file_is_told_in_the_refusal(
    tmp_path_factory: pytest.TempPathFactory, body: bytes
) -> None:
    path = kept(tmp_path_factory.mktemp("secret"), VALUE.encode() + b"\n" + body + b"x")
    assert "\n" not in refusal(Secret(file=str(path)))
