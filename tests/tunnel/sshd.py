"""A real sshd on loopback, with keys of its own, for one test: started, frozen, killed and started again at will."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from .support import GUARD, alive, needed, until


def free_port() -> int:
    """A port that nobody has, below those of outgoing connections."""
    for port in range(10000 + os.getpid() % 9000, 20000):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


class Sshd:
    """An sshd for this user alone. `arguments` are what ssh needs to reach it, the host included."""

    def __init__(self, folder: Path) -> None:
        self._program = needed("/usr/sbin/sshd", "openssh-server")
        needed("ssh", "openssh-client")
        self._folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        folder.chmod(0o700)
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        shutil.copy(folder / "user.pub", folder / "authorized")
        key = (folder / "host.pub").read_text().split()
        (folder / "known").write_text(f"[127.0.0.1]:{self.port} {key[0]} {key[1]}\n")
        (folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\n"
            f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nPermitRootLogin yes\nMaxStartups 100\nStreamLocalBindUnlink yes\n"
        )
        (folder / "ssh_config").write_text("")
        self.arguments = [
            *("-F", str(folder / "ssh_config"), "-i", str(folder / "user"), "-p", str(self.port)),
            *("-o", f"UserKnownHostsFile={folder}/known", "-o", "BatchMode=yes"),
            f"{getpass.getuser()}@127.0.0.1",
        ]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen."""
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        with open(self._folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-D", "-e", "-f", self._folder / "sshd_config"], stdin=subprocess.DEVNULL, stderr=log
            )
        last = time.monotonic() + GUARD
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.recv(4)
                return
            assert self._process.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < last, "sshd does not listen"

    def sessions(self) -> list[int]:
        """The processes that serve connections now, children of children included."""
        return _descendants(self._process.pid) if self._process is not None else []

    def kill_sessions(self) -> None:
        """End every connection, as when the server's process dies."""
        for pid in self.sessions():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def freeze(self) -> list[int]:
        """Stop every connection's process: a silent death. The listening one goes on."""
        pids = self.sessions()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        return pids

    def stop(self) -> None:
        """Listen no more, and end every connection."""
        if self._process is None:
            return
        pids = self.sessions()
        self._process.kill()
        self._process.wait(GUARD)
        self._process = None
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not any(alive(pid) for pid in pids), "sshd's connections end")


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                found += [int(child), *_descendants(int(child))]
    return found


class FarSshd(Sshd):
    """An sshd whose loopback is not ours: each connection's server runs in a network of its own, over two pipes.

    autossh's loop of forwards uses one port on both sides, and so does not work with a server on the same machine.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        needed("unshare", "util-linux")
        needed("ip", "iproute2")
        apart = "unshare -n" if os.geteuid() == 0 else "unshare --map-current-user -n"
        serve = f"{apart} sh -c 'ip link set lo up; exec {self._program} -i -e -f {folder}/sshd_config 2>{folder}/log'"
        self.arguments = ["-o", f"ProxyCommand={serve}", *self.arguments]

    def start(self) -> None:
        """Nothing listens: ssh starts its server itself."""
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)

    def freeze_below(self, ssh: int) -> list[int]:
        """Stop the server that this ssh has started."""
        pids = _descendants(ssh)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        return pids
