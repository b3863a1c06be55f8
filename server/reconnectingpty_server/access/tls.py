"""TLS as it should be by default: 1.2 at least, only HTTP/1.1 offered, certificates taken anew on reload."""

from __future__ import annotations

import ssl

from ..config import Config
from ..values import ConfigError

HSTS = "max-age=31536000"


class Tls:
    """The server's side of TLS. What is open keeps its certificate; what comes after a reload gets the new one."""

    def __init__(self, config: Config) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
        self.context.set_alpn_protocols(["http/1.1"])
        self.reload(config)

    def reload(self, config: Config) -> None:
        """Take the files as they are now. Raises ConfigError, and goes on with what it had."""
        _load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), config)
        _load(self.context, config)


def _load(context: ssl.SSLContext, config: Config) -> None:
    try:
        context.load_cert_chain(config.tls_cert, config.tls_key or None, password=_no_password)
        if config.tls_client_ca:
            context.load_verify_locations(config.tls_client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or error
        raise ConfigError(f"--tls-cert, --tls-key, --tls-client-ca: {what}") from None


def _no_password() -> str:
    raise ValueError("the key is encrypted; give one that is not")


def common_name(certificate: object) -> str:
    """Whose certificate that is, of what `ssl` gives of a verified one; empty for none."""
    if not isinstance(certificate, dict):
        return ""
    for part in certificate.get("subject", ()):
        for key, value in part:
            if key == "commonName":
                return str(value)
    return ""
