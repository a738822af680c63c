"""References to secrets, and the TLS settings of a connection."""

from collections.abc import Callable

from msgspec import Struct


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
