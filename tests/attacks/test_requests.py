"""Requests that no honest client makes: smuggled, oversized, never-ending, too many at once."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import socket
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from ..support.attached import PATIENCE
from ..support.program import Program
from ..support.serving import TOKEN, Told
from .beside import under_attack

BEARER = f"Authorization: Bearer {TOKEN}"


UPGRADE = (
    "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", BEARER,
)  # fmt: skip


def head(first: str, *lines: str) -> bytes:
    return "\r\n".join((first, "Host: 127.0.0.1", *lines, "", "")).encode("latin-1")


def statuses(answer: bytes) -> list[int]:
    """Of the answers to what one connection sent."""
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


SMUGGLED = b"DELETE /api/sessions/honest HTTP/1.1\r\nHost: 127.0.0.1\r\n" + BEARER.encode() + b"\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked"
POST = "POST /api/login HTTP/1.1"
SMUGGLING = {
    "a length beside chunks": head(POST, "Content-Length: 4", CHUNKED) + b"0\r\n\r\n" + SMUGGLED,
    "chunks beside a length": head(POST, CHUNKED, f"Content-Length: {len(SMUGGLED)}") + b"0\r\n\r\n" + SMUGGLED,
    "two lengths": head(POST, "Content-Length: 0", f"Content-Length: {len(SMUGGLED)}") + SMUGGLED,
    "two lengths in one line": head(POST, f"Content-Length: 0, {len(SMUGGLED)}") + SMUGGLED,
    "a length with a sign": head(POST, "Content-Length: +0") + SMUGGLED,
    "a length in other digits": head(POST, "Content-Length: \u00b2") + SMUGGLED,
    "an unknown coding": head(POST, "Transfer-Encoding: xchunked") + SMUGGLED,
    "chunked twice": head(POST, "Transfer-Encoding: chunked, chunked") + b"0\r\n\r\n" + SMUGGLED,
    "a coding with a vertical tab": head(POST, "Transfer-Encoding: \x0bchunked") + b"0\r\n\r\n" + SMUGGLED,
    "a space before the colon": head(POST, "Content-Length : 5") + b"0\r\n\r\n" + SMUGGLED,
    "a chunk's size that overflows": head(POST, CHUNKED) + b"F" * 21 + b"\r\n" + SMUGGLED,
    "a chunk's size with a sign": head(POST, CHUNKED) + b"-1\r\n\r\n" + SMUGGLED,
    "a chunk that ends otherwise": head(POST, CHUNKED) + b"1\r\nxxx" + SMUGGLED,
    "a NUL in a header": head(POST, "X: a\0b") + SMUGGLED,
    "a bare carriage return": head(POST, "X: a\rContent-Length: 9") + SMUGGLED,
    "a header without a name": head(POST, ": x") + SMUGGLED,
    "no version": b"GET /\r\n\r\n" + SMUGGLED,
    "another version": head("GET / HTTP/3.7") + SMUGGLED,
    "two hosts": head("GET /healthz HTTP/1.1", "Host: other") + SMUGGLED,
    "a bare line feed": head(POST, "X: a\nContent-Length: 4") + SMUGGLED,
    "bare line feeds alone": b"GET /healthz HTTP/1.1\nHost: 127.0.0.1\n\n" + SMUGGLED,
    "an end by a bare line feed": head("GET /healthz HTTP/1.1")[:-2] + b"\n" + SMUGGLED,
    "a folded line": head(POST, "X: a\r\n Content-Length: 999", "Content-Length: 2") + b"{}" + SMUGGLED,
    "a line folded by a tab": head(POST, "Transfer-Encoding:\r\n\tchunked") + b"0\r\n\r\n" + SMUGGLED,
    "a line that is folded first": b"GET / HTTP/1.1\r\n Host: x\r\n\r\n" + SMUGGLED,
}


async def test_no_request_is_smuggled_behind_another() -> None:
    """Each is refused as a whole, or its framing leaves no doubt; the request behind it is then nobody's."""
    async with under_attack() as server:
        for what, data in SMUGGLING.items():
            found = statuses(await server.raw(data, end=True))
            assert found, what
            assert found[0] in (400, 413, 501, 505), (what, found)
            assert len(found) == 1, (what, found)
        assert await _lives(server, "honest")


async def test_a_request_whose_framing_is_clear_ends_where_it_says() -> None:
    """What other programs may read otherwise: a trailer, a body of a GET, a length that is said twice."""
    async with under_attack() as server:
        body = b'{"token": "wrong"}'
        trailer = head(POST, CHUNKED) + b"%x\r\n%b\r\n0\r\n" % (len(body), body) + BEARER.encode() + b"\r\n\r\n"
        assert statuses(await server.raw(trailer, end=True)) == [401]
        inside = head("GET /healthz HTTP/1.1", f"Content-Length: {len(SMUGGLED)}", "Connection: close") + SMUGGLED
        assert statuses(await server.raw(inside, end=True)) == [200]
        twice = head(POST, f"Content-Length: {len(body)}", f"Content-Length: {len(body)}", "Connection: close") + body
        assert statuses(await server.raw(twice + SMUGGLED, end=True)) == [401]
        assert await _lives(server, "honest")


async def test_a_head_is_the_same_in_one_piece_and_byte_by_byte() -> None:
    async with under_attack() as server:
        for what in ("a bare line feed", "a folded line", "a length beside chunks"):
            reader, writer = await asyncio.open_connection(server.address.host, server.address.port)
            for byte in SMUGGLING[what].partition(b"\r\n\r\n")[0] + b"\r\n\r\n":
                writer.write(bytes((byte,)))
                await asyncio.sleep(0)
            async with asyncio.timeout(PATIENCE):
                assert statuses(await reader.read()) == [400], what
            writer.close()


async def _lives(server: Program, session: str) -> bool:
    return session in [one["id"] for one in (await server.json("/api/sessions"))["sessions"]]


TARGETS = (
    "/../../../../etc/passwd", "/..%2f..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd",
    "/assets/../../../../../../../../etc/passwd", "/assets/..%5c..%5cetc%5cpasswd", "/assets/%00", "/index.html%00.js",
    "/assets//etc/passwd", "/.git/config", "/assets/.hidden", "/api/../healthz", "/%2fhealthz", "/healthz/", "/HEALTHZ",
    "/api/sessions/..%2fhonest", "/api/sessions/%2e", "/api/sessions/honest%2fscreen", "/api/sessions//screen",
    "/api//sessions", "/api/sessions/honest/", "/api/sessions/honest;x", "/pty/../api/sessions", "/pty%3freconnect=a",
    "/api/v2/workspaceagents/../../../pty", "/api/v2/workspaceagents/" + "f" * 40 + "/pty", "/node/../healthz",
    "/" + "a/" * 3000, "/" + "%41" * 3000, "/?" + "&" * 8000, "/?" + "a=1&" * 3000, "/%ff%fe", "/\\..\\..", "/%",
)  # fmt: skip


async def test_no_path_leads_out_of_the_page_or_around_the_table_of_routes() -> None:
    async with under_attack() as server:
        for target in TARGETS:
            for method in ("GET", "DELETE"):
                answer = await server.raw(head(f"{method} {target} HTTP/1.1", BEARER, "Connection: close"), end=True)
                (status,) = statuses(answer)
                harmless = target.startswith("/?") and method == "GET"
                assert status in ((200, 400) if harmless else (400, 403, 404, 405, 421, 431)), (target, answer[:300])
                assert b"root:" not in answer
        for target in ("http://127.0.0.1/healthz", "http://evil.example/healthz", "*", "evil.example:80", "///healthz"):
            answer = await server.raw(head(f"GET {target} HTTP/1.1", "Connection: close"), end=True)
            assert statuses(answer)[0] in (200, 400, 403, 404), target
        assert await _lives(server, "honest")


AMBIGUOUS = (
    "//healthz", "//127.0.0.1/healthz", "///healthz", "/healthz#x", "/healthz?a#x", "/#", "*", "healthz", "?x", "#",
    "127.0.0.1:80", "ftp://127.0.0.1/healthz", "http:/healthz", "http:///healthz", "http://127.0.0.1//healthz", "//[",
)  # fmt: skip


async def test_a_target_of_which_others_might_make_another_path_is_refused() -> None:
    async with under_attack() as server:
        for target in AMBIGUOUS:
            answer = await server.raw(head(f"GET {target} HTTP/1.1", BEARER), end=True)
            assert statuses(answer) == [400], (target, answer)
        for target in ("/healthz", "http://127.0.0.1/healthz", "HTTP://127.0.0.1:80/healthz?x=//y"):
            assert statuses(await server.raw(head(f"GET {target} HTTP/1.1"), end=True)) == [200], target


async def test_whatever_is_oversized_is_refused() -> None:
    async with under_attack() as server:
        big = "x" * 100_000
        requests = {
            "target": head(f"GET /{big} HTTP/1.1"),
            "header": head("GET / HTTP/1.1", f"X: {big}"),
            "headers": head("GET / HTTP/1.1", *(f"X-{number}: y" for number in range(20_000))),
            "cookie": head("GET /api/whoami HTTP/1.1", f"Cookie: {big}"),
            "method": head(f"{big} / HTTP/1.1"),
            "body": head(POST, f"Content-Length: {10**12}") + big.encode(),
            "chunks": head(POST, CHUNKED) + b"1\r\nx\r\n" * 100_000,
            "a chunk's extension": head(POST, CHUNKED, "Connection: close") + b"1;%b\r\nx\r\n0\r\n\r\n" % big.encode(),
        }
        for what, data in requests.items():
            with suppress(ConnectionError):  # it may be cut off before it has heard all of that
                print(what)
                found = statuses(await server.raw(data))
                assert found in ([400], [413], [414], [431]), (what, found)
        for query in (
            f"reconnect={'x' * 65}", "reconnect=a&width=99999999999", f"reconnect=a&command={'x' * 9000}%00",
            "reconnect=" + "%C3%A9" * 30, "reconnect=a&client=" + "x" * 65, "reconnect=a&offset=" + "9" * 99,
        ):  # fmt: skip
            with pytest.raises(InvalidStatus) as refused:
                async with server.connect(query):
                    pass
            assert refused.value.response.status_code == 400, query
        name = json.dumps({"name": "x" * 81}).encode()
        assert (await server.request("POST", "/api/sessions", name))[0] == 400


DEEP = 30_000
BOMBS = (
    b"[" * DEEP, b'{"token":' * 5000, b'{"token":"' + b"\\ud800" * 5000 + b'"}', b'{"token":' + b"9" * 50_000 + b"}",
    b'{"token":1e99999}', b'{"token":NaN}', b"\xff\xfe" * 100, b'{"token":"\xed\xa0\x80"}', b"null", b"[]", b'"x"',
    b'{"share":"\\ud800"}',
    b"{", b'{"a":1,' * 3000, b'{"token":{"token":{}}}', b'{"token":"x","token":["y"]}', b"\0" * 1000,
)  # fmt: skip


async def test_json_bombs_are_refused_wherever_json_is_taken() -> None:
    async with under_attack() as server:
        for bomb in BOMBS:
            for method, path in (("POST", "/api/login"), ("POST", "/api/sessions"), ("PATCH", "/api/sessions/honest")):
                status = (await server.request(method, path, bomb))[0]
                assert status in (400, 401), (method, path, bomb[:40], status)
            for v1 in (True, False):
                await _thrown(server, bomb, v1=v1)


async def _thrown(server: Program, bomb: bytes, *, v1: bool) -> None:
    """A terminal is sent a bomb. What is no whole request in Coder's stream yet may become one, within its bound."""
    async with server.connect(f"reconnect=bombed&command={quote('exec cat')}", v1=v1) as socket:
        told = Told(socket)
        with suppress(ConnectionClosed):
            if v1:
                await told.until_told("hello")
                await socket.send(bomb, text=True)
                assert (await told.to_the_end())[0] in (1003, 1007, 1009), bomb[:40]
            else:
                await socket.send(bomb)
                await socket.send(b"x" * 900_000)
                await socket.send(b"x" * 900_000)
                assert (await told.to_the_end())[0] in (1007, 1009), bomb[:40]


async def test_five_hundred_slow_connections_hold_nobody_up_and_are_ended() -> None:
    """Heads, bodies, upgrades and frames that come a byte at a time and never end."""
    async with under_attack() as server:
        beginnings = (
            b"", b"G", head("GET / HTTP/1.1")[:-2], head(POST, "Content-Length: 1000") + b"{",
            head(POST, CHUNKED) + b"5\r\nab", head("GET /pty?reconnect=a HTTP/1.1", "Upgrade: websocket")[:-4],
        )  # fmt: skip
        slow = [await asyncio.open_connection(server.address.host, server.address.port) for _ in range(500)]
        for number, (_, writer) in enumerate(slow):
            writer.write(beginnings[number % len(beginnings)])
        async with asyncio.TaskGroup() as dripping:
            drip = dripping.create_task(_drip([writer for _, writer in slow]))
            assert (await server.request("GET", "/healthz"))[0] == 200
            async with asyncio.timeout(PATIENCE):
                for reader, _ in slow:
                    with suppress(ConnectionError):
                        await reader.read()
            drip.cancel()
        for _, writer in slow:
            writer.transport.abort()


async def _drip(writers: list[asyncio.StreamWriter]) -> None:
    while True:
        for writer in writers:
            if not writer.is_closing():
                writer.write(b"a")
        await asyncio.sleep(0.5)


async def test_nothing_that_is_sent_is_unpacked() -> None:
    """No compression of frames is agreed on, and a packed body is only bytes: no bomb can grow."""
    async with under_attack() as server:
        offer = (*UPGRADE, "Sec-WebSocket-Extensions: permessage-deflate")
        reader, writer = await asyncio.open_connection(server.address.host, server.address.port)
        writer.write(head(f"GET /pty?reconnect=packed&command={quote('exec cat')} HTTP/1.1", *offer))
        granted = await reader.readuntil(b"\r\n\r\n")
        assert granted.startswith(b"HTTP/1.1 101 ")
        assert b"extensions" not in granted.lower()
        # The same with the bit that says `compressed`: a protocol error (RFC 6455, 5.2).
        writer.write(b"\xc2\x81\0\0\0\0x")
        closing = await reader.read()
        assert b"\x88" in closing
        assert (1002).to_bytes(2) in closing
        writer.close()
        bomb = gzip.compress(b'{"token": "' + b"x" * (50 << 20) + b'"}')
        before = server.memory
        assert len(bomb) < 60_000
        assert (await server.request("POST", "/api/login", bomb, Content_Encoding="gzip"))[0] == 400
        assert server.memory - before < 10 << 20


HOSTILE_FRAMES: dict[str, bytes] = {
    "no mask": b"\x82\x01x",
    "reserved bits": b"\xf2\x81\0\0\0\0x",
    "an unknown opcode": b"\x83\x80\0\0\0\0",
    "a ping that is too long": b"\x89\xfe\x00\x7e\0\0\0\0" + b"x" * 126,
    "a ping in pieces": b"\x09\x80\0\0\0\0",
    "a continuation of nothing": b"\x80\x80\0\0\0\0",
    "a length beyond all": b"\x82\xff\x7f" + b"\xff" * 7 + b"\0\0\0\0",
    "a length with its first bit set": b"\x82\xff\xff" + b"\xff" * 7 + b"\0\0\0\0",
    "a close of one byte": b"\x88\x81\0\0\0\0x",
    "a close with a code that may not be": b"\x88\x82\0\0\0\0\x03\xed",
    "text that is no UTF-8": b"\x81\x82\0\0\0\0\xff\xff",
}


async def test_frames_that_break_the_protocol_end_their_connection_alone() -> None:
    async with under_attack() as server:
        terminal = f"GET /pty?reconnect=framed&command={quote('exec cat')} HTTP/1.1"
        upgrade = head(terminal, *UPGRADE, "Sec-WebSocket-Protocol: reconnectingpty.v1")
        for what, frame in HOSTILE_FRAMES.items():
            reader, writer = await asyncio.open_connection(server.address.host, server.address.port)
            writer.write(upgrade + frame)
            async with asyncio.timeout(PATIENCE):
                answer = await reader.read()
            assert b"\x88" in answer, what
            writer.close()
        # An upgrade that lacks what an upgrade needs.
        for line in (b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b"Sec-WebSocket-Version: 13\r\n"):
            assert statuses(await server.raw(upgrade.replace(line, b""), end=True))[0] in (400, 426)


CHATTER = ('{"type":"ping","id":1}', '{"type":"resize","rows":9,"cols":9}', '{"type":"ack","offset":0}')


async def test_a_thousand_pings_and_acknowledgements_of_what_never_was_make_nothing_grow() -> None:
    async with under_attack() as server:
        before = server.memory
        for message in CHATTER:
            async with server.connect(f"reconnect=chatty&command={quote('exec cat')}") as socket:
                told = Told(socket)
                await told.until_told("hello")
                await _flooded(socket, message)
                socket.transport.abort()
        async with server.connect("reconnect=chatty") as socket:
            told = Told(socket)
            await told.until_told("hello")
            await told.say(type="ack", offset=1 << 50)
            assert (await told.to_the_end())[0] == 1008
        assert server.memory - before < 20 << 20


async def _dialled(server: Program) -> socket.socket:
    """A connection whose kernel takes little that nobody reads."""
    dialled = socket.socket()
    dialled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    dialled.setblocking(False)
    await asyncio.get_running_loop().sock_connect(dialled, (server.address.host, server.address.port))
    return dialled


async def test_answers_that_nobody_takes_do_not_pile_up() -> None:
    """Whoever asks without a proof for the largest file of the page, over and over, and reads nothing."""
    async with under_attack() as server:
        script = re.search(rb"/assets/main-\w+\.js", (await server.request("GET", "/", token=None))[2])
        assert script is not None
        before = server.memory
        with await _dialled(server) as greedy:
            asked = head(f"GET {script[0].decode()} HTTP/1.1") * 1000
            await asyncio.get_running_loop().sock_sendall(greedy, asked)
            for _ in range(50):
                assert (await server.request("GET", "/healthz"))[0] == 200
            assert server.memory - before < 10 << 20


async def test_answers_to_pings_that_nobody_takes_do_not_pile_up() -> None:
    """And what is typed between them arrives: who takes no output for a while may still send."""
    async with under_attack() as server:
        loop = asyncio.get_running_loop()
        ping, typed = b"\x89\xfd\0\0\0\0" + b"x" * 125, b"\x82\x86\0\0\0\0typed\r"
        query = f"reconnect=pinged&command={quote('stty -echo; cat')}"
        async with server.connect(query) as socket:
            told = Told(socket)
            await told.until_told("hello")
            with await _dialled(server) as greedy:
                upgrade = (*UPGRADE, "Sec-WebSocket-Protocol: reconnectingpty.v1")
                await loop.sock_sendall(greedy, head(f"GET /pty?{query} HTTP/1.1", *upgrade))
                before = server.memory
                for _ in range(200):
                    async with asyncio.timeout(PATIENCE):
                        await loop.sock_sendall(greedy, ping * 1000)
                await loop.sock_sendall(greedy, typed)
                await told.until(b"typed")
                assert server.memory - before < 10 << 20


async def _flooded(socket: Any, text: str) -> None:
    """Thousands of one message, while no answer is read."""
    socket.transport.pause_reading()
    for _ in range(5000):
        await socket.send(text)
