"""Checks that several tables share: texts, URLs, headers, secrets, bounds and names."""

import re
from collections.abc import Callable, Iterable, Iterator
from keyword import iskeyword
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct
from msgspec.structs import asdict, replace

from watchdeck.config.reading.problems import Problem, child_key, from_error
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.values.host_address import has_long_authority
from watchdeck.domain.values.secret import Secret
from watchdeck.domain.values.text import clean

Bounds = dict[str, tuple[Any, Any]]
"""The least and the greatest allowed value of settings, by name."""

TableT = TypeVar("TableT")

_LIMITS = {"name": 80, "url": 2_048, "metrics_url": 2_048, "canary.body": 1 << 20}
_LIMIT = 1_024
_MANY_LINES = {"canary.body"}
"""Settings that may have several lines: they are sent and never shown."""

_MOST = {"labels": 30, "headers": 50, "map": 100}
_MOST_ITEMS = 200

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_SENSITIVE = re.compile(
    r"authorization|cookie|token|secret|passw|api-?_?key|credential", re.IGNORECASE
)

_OWN_HEADERS = (
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "accept-encoding",
    "upgrade",
    "te",
    "trailer",
)
"""Headers that the HTTP client sets itself, or that would change how a response is read."""

_OPEN = "in a file that others can read"
_ALONE = "Make that file yours alone (chmod 600), or"


def readable_tables(tables: Iterable[object], kind: type[TableT]) -> Iterator[tuple[int, TableT]]:
    """Yield the index and table of each table in a list that could be read as a `kind`.

    A table that could not be read is INVALID and left out; its problems are listed already.
    """
    for number, table in enumerate(tables):
        if isinstance(table, kind):
            yield number, table


def table_problems(
    key: str,
    tables: tuple[object, ...],
    kind: type[TableT],
    check: Callable[[TableT], Iterable[Problem]],
    most: int,
) -> Iterator[Problem]:
    """The problems that `check` finds in each table of the list at `key`.

    Only the first `most` tables are checked; further tables are one problem together.
    """
    for number, table in readable_tables(tables[:most], kind):
        yield from add_prefix(f"{key}[{number}]", check(table))
    if len(tables) > most:
        yield Problem(key, f"has {len(tables)} entries; at most {most} are taken")


def add_prefix(key: str, problems: Iterable[Problem]) -> Iterator[Problem]:
    """The problems of a table, each with the table's own `key` put before its key."""
    for problem in problems:
        yield replace(problem, key=f"{key}.{problem.key}".rstrip("."))


def table_names(tables: Iterable[object], kind: type[Any]) -> list[tuple[int, str]]:
    """Index and name of each table in a list that could be read as a `kind`."""
    return [(number, table.name) for number, table in readable_tables(tables, kind)]


def duplicate_problems(
    key: str, names: Iterable[tuple[int, str]], hint: str = ""
) -> Iterator[Problem]:
    """A problem for each name in the list at `key` that an earlier table there already has.

    `names` are pairs of index and name, as `table_names` returns them.
    """
    first: dict[str, int] = {}
    for number, name in names:
        other = first.setdefault(name, number)
        if other != number:
            yield Problem(f"{key}[{number}].name", f"is the name of {key}[{other}] too", hint)


def read_problems(key: str, read: Callable[[str], object], text: str) -> list[Problem]:
    """A list with the problem of `text` at `key` if `read` raises ValueError for it; else empty.

    An OverflowError of `read` counts too.
    """
    try:
        read(text)
    except (ValueError, OverflowError) as error:
        return [from_error(key, error)]
    return []


def bound_problems(table: object, bounds: Bounds) -> Iterator[Problem]:
    """Problems of the settings in a table that are below or above their bounds."""
    for name, (least, most) in bounds.items():
        value = getattr(table, f"{name}_" if iskeyword(name) else name)
        if value is not None and not least <= value <= most:
            comparison, bound = ("less than", least) if value < least else ("more than", most)
            yield Problem(name, f"is {value}, {comparison} {bound}")


def endpoint_text_problems(endpoint: Endpoint) -> Iterator[Problem]:
    """Problems of an endpoint's texts (too long, control characters) and of its name."""
    yield from text_problems(endpoint)
    yield from name_problems(endpoint.name)


def text_problems(table: Any) -> Iterator[Problem]:
    """Problems of texts in a table that are too long or hold control characters.

    The problems do not repeat the texts.
    """
    for key, text in _texts(table):
        limit = _LIMITS.get(key, _LIMIT)
        if len(text) > limit:
            yield Problem(key, f"is longer than {limit} characters")
        elif key not in _MANY_LINES and (code := _control_character(text)):
            yield Problem(key, f"has a character that no screen shows ({code})", "Leave it out.")


def _control_character(text: str) -> str | None:
    if clean(text, len(text) + 1) == text:
        return None
    letters = (letter for letter in text if clean(letter) != letter)
    return next((f"U+{ord(letter):04X}" for letter in letters), None)


def _texts(table: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a table and its inner tables, with the path of its setting."""
    for name, value in asdict(table).items():
        if value:
            yield from _texts_in(value, f"{key}.{name}" if key else name)


def _texts_in(value: object, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _texts_in(item, f"{key}[{number}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            at = child_key(key, name)
            yield at, name
            yield from _texts_in(item, at)
    elif isinstance(value, Struct):
        yield from _texts(value, key)


def name_problems(name: str) -> Iterator[Problem]:
    """The problem of a name that is empty, or begins or ends with a blank."""
    if not name.strip() or name != name.strip():
        yield Problem("name", "is empty, or begins or ends with a blank")


def size_problems(endpoint: Endpoint) -> Iterator[Problem]:
    """Problems of lists and tables in an endpoint that have too many entries."""
    for name, value in asdict(endpoint).items():
        most = _MOST.get(name, _MOST_ITEMS)
        if isinstance(value, dict | tuple) and len(value) > most:
            yield Problem(name, f"has {len(value)} entries; at most {most} are taken")


def endpoint_url_problems(endpoint: Endpoint) -> Iterator[Problem]:
    """Problems of an endpoint's URLs that cannot be requested."""
    for key in ("url", "metrics_url"):
        text = getattr(endpoint, key)
        if text is not None and (problem := url_problem(text)):
            yield Problem(key, *problem)


def url_problem(text: str) -> tuple[str, str] | None:
    """The mistake in a URL, and a hint how to write it; None when the URL is valid.

    The URL is not repeated: it may hold a password.
    """
    if not _SCHEME.match(text):
        return "has no scheme", 'Write "http://HOST:PORT".'
    try:
        parts = _split_url(text)
        host, port = parts.hostname or "", parts.port
        if not host.isascii():  # the codec costs 5 ms to load
            host.encode("idna")
    except ValueError:
        return "cannot be read", 'Write "http://HOST:PORT".'
    if parts.scheme not in ("http", "https"):
        return f"cannot be asked over {clean(parts.scheme, 20)}", "Write http or https."
    if not host or any(letter in parts.netloc for letter in " \t\\"):
        return "names no host", 'Write "http://HOST:PORT".'
    if port == 0:
        return "has port 0", "Ports are 1 to 65535."
    return None


def header_problems(endpoint: Endpoint) -> Iterator[Problem]:
    """Problems of headers that cannot be sent, are given twice, or are set by watchdeck itself."""
    seen: set[str] = set()
    for name, value in endpoint.headers.items():
        key, small = child_key("headers", name), name.lower()
        if not _HEADER.fullmatch(name):
            yield Problem(key, "is not the name of a header")
        elif small in _OWN_HEADERS:
            yield Problem(key, "is set by watchdeck itself", "Leave it out.")
        elif small in seen:
            yield Problem(key, "is given twice", "Capitals make no difference.")
        seen.add(small)
        text = value.prefix if isinstance(value, Secret) else value
        if not (text.isascii() and text.isprintable()):
            yield Problem(key, "has a character that HTTP does not allow")
        if isinstance(value, Secret):
            yield from secret_problems(key, value)


def secret_problems(key: str, secret: Secret) -> Iterator[Problem]:
    """The problem of a secret that does not name exactly one source, `env` or `file`."""
    if (secret.env is None) == (secret.file is None):
        yield Problem(key, "needs one of env and file")
    elif secret.env is not None and not _VARIABLE.fullmatch(secret.env):
        hint = 'Write the name alone, as in {env = "TOKEN"}.'
        yield Problem(f"{key}.env", "is not the name of an environment variable", hint)
    elif secret.file == "":
        yield Problem(f"{key}.file", "is empty")


def plain_secret_problems(endpoint: Endpoint) -> Iterator[Problem]:
    """Problems of secrets written out in a configuration that other users can read."""
    for name, value in endpoint.headers.items():
        if isinstance(value, str) and _SENSITIVE.search(name):
            text, hint = "is a secret", 'write {env = "NAME"} or {file = "PATH"}.'
            yield Problem(child_key("headers", name), f"{text} {_OPEN}", f"{_ALONE} {hint}")
    for key in ("url", "metrics_url"):
        if _has_password(getattr(endpoint, key) or ""):
            text, hint = "holds a password", "send it in a header, from {env} or {file}."
            yield Problem(key, f"{text} {_OPEN}", f"{_ALONE} {hint}")


def _has_password(url: str) -> bool:
    try:
        return _split_url(url).password is not None
    except ValueError:
        return False


def _split_url(url: str) -> SplitResult:
    """Split a URL. Raises ValueError, also for a host that is too long to be one."""
    if has_long_authority(url):
        raise ValueError("the host is too long")
    return urlsplit(url)
