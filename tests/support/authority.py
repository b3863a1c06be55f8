"""A certificate authority of a test's own."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme

HERE = "127.0.0.1"


class Authority:
    """A certificate authority with the files that a server of its wants."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self.folder = folder
        self.ca = trustme.CA(organization_name=name)
        self.pem = str(folder / f"{name}.pem")
        self.ca.cert_pem.write_to_path(self.pem)

    def issue(self, path: Path) -> None:
        """A server's key and chain, in one file."""
        path.write_bytes(self.ca.issue_cert(HERE).private_key_and_cert_chain_pem.bytes())

    def client(self, name: str = "", by: Authority | None = None) -> ssl.SSLContext:
        """A client that trusts this authority; with a certificate of that name, issued by this one or another."""
        context = ssl.create_default_context(cafile=self.pem)
        if name:
            path = self.folder / f"{name}-client.pem"
            certificate = (by or self).ca.issue_cert(f"{name}@example.org", common_name=name)
            path.write_bytes(certificate.private_key_and_cert_chain_pem.bytes())
            context.load_cert_chain(path)
        return context
