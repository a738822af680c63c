"""Servers' certificates, good and bad, made on the spot."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Certificates:
    """An authority of our own; `ca` is the file to trust."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = trustme.CA()
        self.ca = str(folder / "ca.pem")
        self._authority.cert_pem.write_to_path(self.ca)

    def good(self, days: float = 30) -> ssl.SSLContext:
        return self._issued("127.0.0.1", "localhost", days=days)

    def expired(self, days: float = 3) -> ssl.SSLContext:
        return self._issued("127.0.0.1", days=-days)

    def of_another_host(self) -> ssl.SSLContext:
        return self._issued("elsewhere.example", days=30)

    def client(self, folder: Path) -> str:
        """The file with the certificate and key of a client."""
        file = folder / "client.pem"
        self._authority.issue_cert("client.example").private_key_and_cert_chain_pem.write_to_path(
            str(file)
        )
        return str(file)

    def by_a_stranger(self) -> ssl.SSLContext:
        """A certificate of an authority that nobody trusts."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
        return context

    def self_signed(self, days: float = 30) -> ssl.SSLContext:
        """A certificate that vouches for itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "myself")])
        now = datetime.now(UTC)
        made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        made = made.not_valid_before(now - timedelta(days=1))
        made = made.not_valid_after(now + timedelta(days=days))
        pem = serialization.Encoding.PEM
        private = key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = self._folder / "self-signed.pem"
        file.write_bytes(private + made.sign(key, hashes.SHA256()).public_bytes(pem))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _issued(self, *names: str, days: float) -> ssl.SSLContext:
        now = datetime.now(UTC)
        issued = self._authority.issue_cert(
            *names, not_before=now - timedelta(days=90), not_after=now + timedelta(days=days)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued.configure_cert(context)
        return context
