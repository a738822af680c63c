from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.config_files import FULL
from watchdeck.config.load import load
from watchdeck.domain.values.text import clean
from watchdeck.errors import ConfigError


def is_clean(text: str) -> bool:
    return all(clean(line, len(line) + 1) == line for line in text.splitlines())


def refusal(path: Path) -> str:
    """What is said of a configuration; nothing when it is read."""
    try:
        load(path)
    except ConfigError as error:
        return str(error)
    return ""


PIECES = st.sampled_from(
    ['"', "'", "[", "]", "{", "}", "=", ".", ",", "\n", "#", "0", "nan", "true", "\\u001b", "\x1b"]
)


@given(
    places=st.lists(st.tuples(st.integers(0, len(FULL)), st.integers(0, 30)), max_size=4),
    pieces=st.lists(PIECES | st.text(max_size=8), min_size=4, max_size=4),
)
def test_a_mutated_configuration_is_read_or_refused_in_clean_words(
    tmp_path_factory: pytest.TempPathFactory,
    places: list[tuple[int, int]],
    pieces: list[str],
) -> None:
    text = FULL
    for (start, length), piece in zip(places, pieces, strict=False):
        text = text[:start] + piece + text[start + length :]
    path = tmp_path_factory.getbasetemp() / "watchdeck.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert is_clean(refusal(path))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
KEYS = st.sampled_from(
    ["name", "url", "every", "slo", "headers", "canary", "tls", "map", "keep", "labels", "tier"]
)


def toml(value: object) -> str:
    if value is None:
        return "1979-05-27T07:32:00Z"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return f"{{{', '.join(f'{quoted(k)} = {toml(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return quoted(value) if isinstance(value, str) else repr(value)


def quoted(text: str) -> str:
    return '"' + "".join(f"\\U{ord(letter):08x}" for letter in text) + '"'


@given(st.dictionaries(KEYS, VALUES, min_size=1))
def test_any_value_in_any_place_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, settings: dict[str, object]
) -> None:
    lines = "".join(f"{key} = {toml(value)}\n" for key, value in settings.items())
    path = tmp_path_factory.getbasetemp() / "watchdeck.toml"
    path.write_text(f"[[endpoint]]\n{lines}")
    assert is_clean(refusal(path))
