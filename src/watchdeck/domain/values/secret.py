"""References to secrets, the forms in which a text may repeat one, and TLS settings."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator
from urllib.parse import SplitResult, parse_qsl, quote, quote_plus, unquote, urlsplit

from msgspec import Struct

from watchdeck.domain.values.host_address import has_long_authority

SHORTEST_SECRET = 4
"""Characters of the shortest secret that is hidden: a shorter one is part of every text."""

_SHORTEST_FOLDED = 8
"""Characters of the shortest secret that is hidden also in lower case, as a host name has it."""

_SHORTEST_SEGMENT = 8
"""Characters of the shortest part of a path that may be a key; `/api/` and `/hooks/` are none."""

_SENSITIVE = re.compile(
    r"auth|cookie|token|secret|passw|pwd|key|credential|sign|session|csrf|xsrf|\b(?:sig|sid|sas)\b",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[A-Za-z/ .,:;=*_-]{0,24}|[0-9.]{0,11}[A-Za-z%]{0,2}", re.ASCII)
"""Words and numbers, as settings have them and keys do not."""

_BASE64 = (base64.b64encode, base64.urlsafe_b64encode)

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"}

_PERCENT = re.compile("%[0-9A-F]{2}")


class Secret(Struct, frozen=True):
    """A reference to a secret, never its value: an environment variable or a file of mode 0600."""

    env: str | None = None
    """Name of the environment variable that holds the secret."""
    file: str | None = None
    """Path of a file of mode 0600, owned by the collector's user or root, that holds the secret."""
    prefix: str = ""
    """Text sent before the secret, such as `Bearer `."""


class Tls(Struct, frozen=True):
    """TLS settings of https connections."""

    ca: str | None = None
    """Path of a file with the certificates to trust, in PEM; when not set, those of the system."""
    certificate: str | None = None
    """Path of the client certificate, in PEM."""
    key: str | None = None
    """Path of the key of the client certificate, in PEM."""
    insecure: bool = False
    """Whether the certificate of the server is not checked; the page of the model shows that."""


SecretResolver = Callable[[Secret], str]
"""Returns the value of a secret. Raises SecretError."""


def secret_forms(value: str) -> frozenset[str]:
    """The forms in which a text may repeat a secret: as it is, percent-encoded, in base64, ...

    None for a secret that is too short to be hidden.
    """
    if len(value) < SHORTEST_SECRET:
        return frozenset()
    encoded = {quote(value, safe=""), quote(value), quote_plus(value)}
    encoded |= {_PERCENT.sub(lambda found: found[0].lower(), one) for one in encoded}
    escaped = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    escaped |= {one.replace("/", "\\/") for one in escaped}
    folded = {value.lower()} if len(value) >= _SHORTEST_FOLDED else set[str]()
    data = {value.encode("utf-8", "surrogatepass"), value.encode("latin-1", "ignore")}
    based = {encode(one).decode() for one in data for encode in _BASE64 if len(one) >= len(value)}
    forms = {value, _escape_html(value), *encoded, *escaped, *folded}
    return frozenset(forms | {one.rstrip("=") for one in based})


def _escape_html(text: str) -> str:
    """As `html.escape`, whose module takes 2 ms to import."""
    for letter, entity in _ENTITIES.items():
        text = text.replace(letter, entity)
    return text


def is_sensitive(name: str, value: str) -> bool:
    """Whether a header or a parameter of a query holds a secret: by its name or by its value."""
    return bool(_SENSITIVE.search(name)) or not _PLAIN.fullmatch(value)


def header_secrets(value: str) -> Iterator[str]:
    """The secrets in a header: all of it, what follows its scheme, what Basic encodes, its pairs.

    `Bearer TOKEN`, `Basic BASE64`, `Token token=TOKEN`, `sid=ID; theme=dark`.
    """
    yield value
    scheme, _, rest = value.rpartition(" ")
    if rest:
        yield rest
    if scheme.lower() == "basic":
        yield from _login_secrets(*_decode_login(rest))
    for pair in value.split(";"):
        name, equals, content = pair.strip().partition("=")
        if equals and is_sensitive(name, content):
            yield content


def _decode_login(text: str) -> tuple[str, str]:
    try:
        user, _, password = base64.b64decode(text).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return user, password


def _login_secrets(user: str, password: str) -> Iterator[str]:
    """The secrets of a user's login, as sent and encoded; a user without password is a token."""
    yield password or user
    if user:
        yield f"{user}:{password}"


def url_secrets(url: str) -> Iterator[str]:
    """The secrets in the address of an endpoint: password, and parameters that may be keys."""
    try:
        parts = _split(url)
    except ValueError:
        return
    yield from _userinfo_secrets(parts.username or "", parts.password or "")
    for name, value in parse_qsl(parts.query):
        if is_sensitive(name, value):
            yield value


def private_url_secrets(url: str) -> Iterator[str]:
    """The secrets in the address of a receiver: all but its scheme and host.

    The key of many receivers is in the path, and a 404 often repeats the path alone.
    """
    yield url
    try:
        parts = _split(url)
    except ValueError:
        return
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    segments = (part for part in parts.path.split("/") if len(part) >= _SHORTEST_SEGMENT)
    for part in (target, parts.query, *segments):
        yield from (part, unquote(part))
    yield from _userinfo_secrets(parts.username or "", parts.password or "")
    for _, value in parse_qsl(parts.query):
        yield value


def _userinfo_secrets(user: str, password: str) -> Iterator[str]:
    if user or password:
        yield from _login_secrets(unquote(user), unquote(password))
        yield password or user


def _split(url: str) -> SplitResult:
    """Split a URL. Raises ValueError, also for a host that is too long to be one."""
    if has_long_authority(url):
        raise ValueError("the host is too long")
    return urlsplit(url)
