"""Who a client is behind a proxy, by its header, or at the other end of a Unix socket."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from reconnectingpty_server.access import users
from reconnectingpty_server.config import load
from reconnectingpty_server.values import ConfigError

from ..support.serving import TOKEN, Serving, serving

FROM_OUTSIDE = {"X_Forwarded_For": "203.0.113.9"}


async def audited(path: Path, s: Serving, **headers: str) -> str:
    """Where the audit log says that a login came from."""
    body = json.dumps({"token": TOKEN}).encode()
    status, _, _ = await s.request("POST", "/api/login", body, token=None, **headers)
    assert status == 204
    return str(json.loads(path.read_text().splitlines()[-1])["peer"])


@pytest.mark.parametrize(
    ("trusted", "forwarded", "seen"),
    [
        ([], "203.0.113.9", "127.0.0.1"),
        (["10.0.0.0/8"], "203.0.113.9", "127.0.0.1"),
        (["127.0.0.1"], "203.0.113.9", "203.0.113.9"),
        (["127.0.0.0/8", "10.0.0.0/8"], "203.0.113.9, 10.1.2.3", "203.0.113.9"),
        # What stands before the last address that is no proxy's anybody could have written.
        (["127.0.0.1"], "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (["127.0.0.1"], "203.0.113.9:5555", "203.0.113.9"),
        (["127.0.0.1"], '"[2001:db8::1]:443"', "2001:db8::1"),
        (["127.0.0.1"], "unknown", "127.0.0.1"),
        (["127.0.0.1"], "203.0.113.9, <script>", "127.0.0.1"),
        (["127.0.0.1"], ", ".join(["203.0.113.9"] * 500), "203.0.113.9"),
    ],
)
async def test_a_trusted_proxy_says_where_a_client_is(
    tmp_path: Path, trusted: list[str], forwarded: str, seen: str
) -> None:
    log = tmp_path / "audit"
    async with serving(trusted_proxy=trusted, audit_log=str(log)) as s:
        found = await audited(log, s, X_Forwarded_For=forwarded)
        assert found == seen or (seen == "127.0.0.1" and found.startswith("127.0.0.1:"))


async def test_behind_tls_at_a_proxy_cookies_are_for_tls_alone() -> None:
    body = json.dumps({"token": TOKEN}).encode()
    async with serving(trusted_proxy=["127.0.0.1"]) as s:
        for scheme, secure in (("https", True), ("http", False)):
            headers = FROM_OUTSIDE | {"X_Forwarded_Proto": scheme}
            cookie = (await s.request("POST", "/api/login", body, token=None, **headers))[1]["set-cookie"]
            assert ("; Secure" in cookie) is secure
            assert cookie.startswith("__Host-") is secure
    async with serving() as s:
        cookie = (await s.request("POST", "/api/login", body, token=None, X_Forwarded_Proto="https"))[1]["set-cookie"]
        assert "; Secure" not in cookie


async def test_wrong_tokens_are_counted_by_the_address_behind_the_proxy() -> None:
    async with serving(trusted_proxy=["127.0.0.1"], limit_logins="3/60") as s:
        for _ in range(3):
            assert (await s.request("GET", "/api/whoami", token="wrong", **FROM_OUTSIDE))[0] == 401
        assert (await s.request("GET", "/api/whoami", token="wrong", **FROM_OUTSIDE))[0] == 429
        other = {"X_Forwarded_For": "203.0.113.10"}
        assert (await s.request("GET", "/api/whoami", token="wrong", **other))[0] == 401


async def test_a_header_names_the_user_only_from_a_trusted_proxy(tmp_path: Path) -> None:
    path = str(tmp_path / "users")
    users.add(path, "alice", "user")
    flags: dict[str, Any] = {"users_file": path, "user_header": "X-Remote-User"}
    alice = {"X_Remote_User": "alice"}
    async with serving(trusted_proxy=["127.0.0.1"], **flags) as s:
        status, _, body = await s.request("GET", "/api/whoami", token=None, **alice, **FROM_OUTSIDE)
        assert (status, json.loads(body)["name"]) == (200, "alice")
        for name in ("admin", "mallory", "", "alice, admin"):
            status, _, _ = await s.request("GET", "/api/whoami", token=None, X_Remote_User=name, **FROM_OUTSIDE)
            assert status == 401, name
    async with serving(trusted_proxy=["10.0.0.0/8"], **flags) as s:
        status, _, _ = await s.request("GET", "/api/whoami", token=None, **alice, **FROM_OUTSIDE)
        assert status == 401
    with pytest.raises(ConfigError, match="trusted-proxy"):
        load({"listen": ["127.0.0.1:0"], "token": TOKEN} | flags, {})


async def whoami(path: Path, uid: int | None = None) -> tuple[int, dict[str, Any]]:
    """Who asks at that Unix socket, from a process of that user."""
    code = (
        "import os, socket, sys\n"
        "if len(sys.argv) > 2 and os.getuid() == 0:\n"
        "    os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))\n"
        "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
        "s.sendall(b'GET /api/whoami HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n')\n"
        "while data := s.recv(65536): sys.stdout.buffer.write(data)\n"
    )
    asking = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-c", code, str(path), *([str(uid)] if uid is not None else []),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    answer = (await asking.communicate())[0]
    assert asking.returncode == 0, answer
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


async def test_the_servers_own_user_needs_no_token_on_its_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    async with serving(listen=[f"unix:{path}"], unix_users="true"):
        status, who = await whoami(path)
        assert (status, who["name"], who["role"]) == (200, "admin", "admin")
    async with serving(listen=[f"unix:{path}"]):
        assert (await whoami(path))[0] == 401


async def test_other_users_of_the_machine_are_who_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        somebody, nobody = pwd.getpwnam("daemon"), pwd.getpwnam("nobody").pw_uid
    else:  # only root can ask as somebody else; then it is the server that takes itself for another
        somebody, nobody = pwd.getpwuid(os.geteuid()), None
        monkeypatch.setattr(os, "geteuid", lambda: somebody.pw_uid + 1)
    known = tmp_path / "users"
    users.add(str(known), somebody.pw_name, "viewer")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "socket"
        async with serving(listen=[f"unix:{path}"], unix_users="true", users_file=str(known)) as s:
            os.chmod(folder, 0o755)
            path.chmod(0o666)
            status, who = await whoami(path, somebody.pw_uid)
            assert (status, who["name"], who["role"]) == (200, somebody.pw_name, "viewer")
            if nobody is None:
                known.write_text("")
                s.server.reload(s.server.config)
            assert (await whoami(path, nobody))[0] == 401


async def asked_with(s: Serving, *lines: str, token: str = TOKEN) -> tuple[int, bytes]:
    """The status and the whole answer of whoami, asked for with these lines."""
    head = (f"GET /api/whoami HTTP/1.1\r\nHost: {s.address}\r\nConnection: close", *lines)
    answer = await s.raw("\r\n".join((*head, f"Authorization: Bearer {token}" if token else "X: y", "", "")).encode())
    return int(answer.split()[1]), answer


async def test_the_line_that_a_proxy_adds_counts_and_not_the_clients_before_it(tmp_path: Path) -> None:
    log = tmp_path / "audit"
    async with serving(trusted_proxy=["127.0.0.1"], limit_logins="3/600", audit_log=str(log)) as s:
        forged = [(f"X-Forwarded-For: 198.51.100.{number}", "X-Forwarded-For: 203.0.113.66") for number in range(5)]
        found = [(await asked_with(s, *lines, token="wrong"))[0] for lines in forged]
        assert found == [401, 401, 401, 429, 429]
        assert {json.loads(line)["peer"] for line in log.read_text().splitlines()} == {"203.0.113.66"}
        assert (await asked_with(s, "X-Forwarded-For: 198.51.100.0", token="wrong"))[0] == 401


async def test_what_a_proxy_says_once_is_not_believed_when_it_is_said_twice(tmp_path: Path) -> None:
    path = str(tmp_path / "users")
    users.add(path, "alice", "user")
    users.add(path, "bob", "user")
    async with serving(trusted_proxy=["127.0.0.1"], users_file=path, user_header="X-Remote-User") as s:
        alice, bob = "X-Remote-User: alice", "X-Remote-User: bob"
        assert (await asked_with(s, alice, token=""))[0] == 200
        assert [(await asked_with(s, *twice, token=""))[0] for twice in ((alice, bob), (alice, alice))] == [401, 401]
        secure, plain = "X-Forwarded-Proto: https", "X-Forwarded-Proto: http"
        body = json.dumps({"token": TOKEN})
        for lines, is_secure in (((secure,), True), ((secure, plain), False), ((plain, secure), False)):
            head = ("POST /api/login HTTP/1.1", f"Host: {s.address}", *lines, f"Content-Length: {len(body)}")
            answer = await s.raw("\r\n".join((*head, "Connection: close", "", body)).encode())
            assert (b"; Secure" in answer) is is_secure, lines


async def test_an_ipv4_client_of_a_listener_for_both_is_known_by_its_ipv4_address(tmp_path: Path) -> None:
    log = tmp_path / "audit"
    settings: dict[str, Any] = {"limit_logins": "1/600", "audit_log": str(log)}
    async with serving(trusted_proxy=["127.0.0.9", "::ffff:127.0.0.10"], **settings) as s:
        listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        port = (await s.server.serve(listener)).port

        async def asks(by: str, *lines: str, token: str = "wrong") -> int:
            head = ("GET /api/whoami HTTP/1.1", "Host: x", "Connection: close", f"Authorization: Bearer {token}")
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(by, 0))
            writer.write("\r\n".join((*head, *lines, "", "")).encode())
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
            return int(answer.split()[1])

        assert [await asks("127.0.0.2"), await asks("127.0.0.2"), await asks("127.0.0.3")] == [401, 429, 401]
        assert await asks("127.0.0.77", token=TOKEN) == 200
        for proxy, client in (("127.0.0.9", "203.0.113.1"), ("127.0.0.10", "::ffff:203.0.113.2")):
            assert await asks(proxy, f"X-Forwarded-For: {client}") == 401
        peers = [json.loads(line)["peer"].partition(":")[0] for line in log.read_text().splitlines()]
        assert peers == ["127.0.0.2", "127.0.0.3", "203.0.113.1", "203.0.113.2"]
