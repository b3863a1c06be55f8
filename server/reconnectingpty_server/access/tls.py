"""TLS as it should be by default: 1.2 at least, only HTTP/1.1 offered; and whom a client's certificate names."""

from __future__ import annotations

import hashlib
import re
import ssl
from pathlib import Path
from typing import Any

from ..config import Config
from ..exchange import Certificate
from ..values import ConfigError

HSTS = "max-age=31536000"


class Context(ssl.SSLContext):
    """The server's side of TLS with its files as they were when it was made by :func:`read`. It never changes.

    What is open keeps the one that it began with; what comes after a reload gets another. So no authority outlives its
    file: one that was loaded can't be taken out again, and tickets of sessions to resume are worth nothing elsewhere.
    """

    authorities: frozenset[str] = frozenset()
    """Digests of those that may vouch for clients."""


def read(config: Config) -> Context:
    """The settings' certificate, key and authorities, of their files. Raises ConfigError."""
    context = Context(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(config.tls_cert, config.tls_key or None, password=_no_password)
        if config.tls_client_ca:
            context.load_verify_locations(config.tls_client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
            context.authorities = _authorities(context, Path(config.tls_client_ca))
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or error
        raise ConfigError(f"--tls-cert, --tls-key, --tls-client-ca: {what}") from None
    return context


def _no_password() -> str:
    raise ValueError("the key is encrypted; give one that is not")


_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def _authorities(context: ssl.SSLContext, path: Path) -> frozenset[str]:
    # The context doesn't tell of a certificate that vouches for itself alone.
    written = _CERTIFICATE.findall(path.read_text(encoding="ascii", errors="replace"))
    loaded = context.get_ca_certs(binary_form=True)
    return frozenset(map(_digest, [*loaded, *(ssl.PEM_cert_to_DER_cert(text) for text in written)]))


def certificate_of(connection: ssl.SSLObject | None) -> Certificate | None:
    """What the client of a TLS connection has shown and was verified, if it has."""
    shown = connection.getpeercert() if connection is not None else None
    if connection is None or not shown:
        return None
    authorities = frozenset(map(_digest, _verified(connection)[-1:]))
    if not authorities and isinstance(connection.context, Context):
        authorities = connection.context.authorities  # the session was resumed; then nobody knows which of them it was
    return Certificate(_common_name(shown), authorities)


def _verified(connection: Any) -> list[bytes]:
    """The certificates from the client's to the one that is trusted, as far as they are known."""
    if hasattr(connection, "get_verified_chain"):
        return list(connection.get_verified_chain())
    # Before Python 3.13 it has no name of its own.
    return [certificate.public_bytes(_DER) for certificate in connection._sslobj.get_verified_chain() or ()]


_DER = 2
"""`_ssl.ENCODING_DER`."""


def _digest(certificate: bytes) -> str:
    return hashlib.sha256(certificate).hexdigest()


def _common_name(certificate: Any) -> str:
    for part in certificate.get("subject", ()):
        for key, value in part:
            if key == "commonName":
                return str(value)
    return ""
