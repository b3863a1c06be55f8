"""What is measured. Each measure yields rows: what, the values by server, and what was aimed at."""

from __future__ import annotations

import os
import resource
import select
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import Request, urlopen

from .clients import V1, Ours, Plain, Sink, Terminado, terminal, upgrade
from .servers import TOKEN, compiled, cpu, memory, ours, pump, terminado


@dataclass
class Row:
    """A line of the table."""

    name: str
    unit: str
    values: dict[str, float] = field(default_factory=dict)
    target: str = ""
    met: bool | None = None


def percentile(values: list[float], percent: float) -> float:
    """The value below which that many percent lie."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)]


def _screen(port: int, session: str) -> str:
    request = Request(
        f"http://127.0.0.1:{port}/api/sessions/{session}/screen", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urlopen(request) as answer:
        return str(answer.read().decode())


def _lines(path: Path, size: int, coloured: bool) -> None:
    text = "".join(chr(33 + number % 90) for number in range(70))
    with path.open("w") as file:
        for number in range(size // 80):
            if coloured:
                file.write(f"\x1b[3{number % 8}m{number:08d}\x1b[0m \x1b[1;4{number % 8}m{text[:48]}\x1b[0m text\n")
            else:
                file.write(f"{number:08d} {text}\n")


def _drain(client: Plain) -> tuple[int, float]:
    """Everything a client is sent: bytes, and seconds from the first to the last."""
    count, first = 0, 0.0
    while data := client.output():
        first = first or time.perf_counter()
        count += len(data)
    return count, time.perf_counter() - first


def throughput(quick: bool) -> Iterator[Row]:
    """Lines through `cat`, to one viewer."""
    size = (20 if quick else 200) * 1_000_000
    with TemporaryDirectory() as folder, ours() as (port, pid):
        before = memory(pid)
        for kind in ("plain", "coloured"):
            path = Path(folder, kind)
            _lines(path, size, kind == "coloured")
            speeds: dict[str, list[float]] = {"ours": [], "pump": [], "terminado": []}
            counts = set()
            used = 0.0
            for _ in range(1 if quick else 3):
                started = cpu(pid)
                count, seconds = _viewer(port, "", f"cat {path}").drained()
                used += cpu(pid) - started
                counts.add(count)
                speeds["ours"].append(count / seconds / 1e6)
                with pump(f"cat {path}") as other:
                    count, seconds = Sink(compiled("sink"), other, "plain").drained()
                counts.add(count)
                speeds["pump"].append(count / seconds / 1e6)
                with terminado(f"cat {path}") as other:
                    _, seconds = Sink(compiled("sink"), other, "frames", upgrade(other, "/ws")).drained()
                speeds["terminado"].append(path.stat().st_size / seconds / 1e6)
            if len(counts) != 1:
                raise RuntimeError(f"bytes are missing or too many: {counts}")
            row = Row(f"throughput, {kind} lines", "MB/s", {k: statistics.median(v) for k, v in speeds.items()})
            row.target = ">= 0.8 of the pump, > terminado"
            row.met = row.values["ours"] >= 0.8 * row.values["pump"] and row.values["ours"] > row.values["terminado"]
            yield row
            yield Row(
                f"server CPU, 100 MB of {kind} lines", "s", {"ours": used / len(speeds["ours"]) * 100e6 / max(counts)}
            )
            client = Ours(port, token=TOKEN, command=f"cat {path}; cat")
            client.greet()
            while client.offset < max(counts):
                client.output()
            last = path.read_text()[-400:].splitlines()[-1]
            shown = _screen(port, client.session).splitlines()[-1]
            right = (
                shown == "".join(part.partition("m")[2] or part for part in last.split("\x1b["))
                if "\x1b" in last
                else shown == last
            )
            yield Row(f"model right after {kind} lines", "", {"ours": float(right)}, "yes", right)
            client.say(type="kill")
            _drain(client)
        grown = (memory(pid) - before) / (1 << 20)
        yield Row("memory grown by all that", "MiB", {"ours": grown}, "< 32", grown < 32)


def _viewer(port: int, session: str, command: str = "") -> Sink:
    """A client of ours that only reads and acknowledges."""
    target = terminal(session or os.urandom(8).hex(), command)
    return Sink(compiled("sink"), port, "acks", upgrade(port, target, f"Authorization: Bearer {TOKEN}\r\n{V1}"))


def echoes(client: Plain, count: int) -> list[float]:
    """Seconds from each of so many keys to its echo; the first few, which warm things up, are left out."""
    times = []
    for number in range(count):
        key = bytes([97 + number % 26])
        began = time.perf_counter()
        client.type(key)
        while key not in bytes(client.output()):
            pass
        times.append(time.perf_counter() - began)
        time.sleep(0.001)
    return times[count // 20 :]


RAW = "stty raw -echo; printf R; exec cat"


def echo(quick: bool) -> Iterator[Row]:
    """A key there and back."""
    count = 500 if quick else 3000
    times: dict[str, list[float]] = {}
    with ours() as (port, _):
        client: Plain = Ours(port, token=TOKEN, command=RAW)
        client.output()
        times["ours"] = echoes(client, count)
        with pump(RAW) as other:
            plain = Plain(other)
            plain.output()
            times["pump"] = echoes(plain, count)
        with terminado(RAW) as other:
            client2 = Terminado(other)
            client2.output()
            times["terminado"] = echoes(client2, count)
        for percent, within in ((50, 80), (99, 300)):
            values = {name: percentile(found, percent) * 1e6 for name, found in times.items()}
            met = values["ours"] - values["pump"] <= within
            yield Row(f"key echo p{percent}", "µs", values, f"pump + {within}", met)
        with TemporaryDirectory() as folder:
            path = Path(folder, "lines")
            _lines(path, 8_000_000, False)
            lines = f"while :; do cat {path}; done"
            for name, flood, most in (("lines", lines, {50: 500, 99: 2000}), ("`yes`", "exec yes", {})):
                beside = {"ours": _echoes_beside(port, client, flood, count), "pump": _pumped_beside(flood, count)}
                for percent in (50, 99):
                    values = {who: percentile(found, percent) * 1e6 for who, found in beside.items()}
                    row = Row(f"key echo p{percent} beside a flood of {name}", "µs", values)
                    if percent in most:
                        row.target, row.met = f"< {most[percent]}", values["ours"] < most[percent]
                    yield row
        waits = []
        for _ in range(3 if quick else 10):
            waits.append(_interrupted(Ours(port, token=TOKEN, command="PS1=prom''pt exec bash --norc --noprofile")))
        worst = max(waits) * 1000
        yield Row("^C during yes to the prompt, worst", "ms", {"ours": worst}, "< 200", worst < 200)


def _echoes_beside(port: int, client: Plain, flood: str, count: int) -> list[float]:
    reader = _viewer(port, "flood", flood)
    times = echoes(client, count)
    stop = Ours(port, "flood", token=TOKEN)
    stop.say(type="kill")
    stop.close()
    reader.drained()
    return times


def _pumped_beside(flood: str, count: int) -> list[float]:
    """The same with a pump for each: what the kernel and the other processes cost."""
    with pump(flood) as flooding, pump(RAW) as other:
        reader = Sink(compiled("sink"), flooding, "plain")
        plain = Plain(other)
        plain.output()
        times = echoes(plain, count)
    reader.drained()
    return times


def _interrupted(client: Ours) -> float:
    _until(client, b"prompt")
    client.type(b"yes\n")
    for _ in range(200):
        client.output()
    began = time.perf_counter()
    client.type(b"\x03")
    _until(client, b"prompt")
    took = time.perf_counter() - began
    client.say(type="kill")
    _drain(client)
    return took


def _until(client: Plain, text: bytes) -> None:
    seen = b""
    while text not in seen:
        data = bytes(client.output())
        if not data:
            raise RuntimeError(f"{text!r} never came")
        seen = seen[-len(text) :] + data


def fan_out(quick: bool) -> Iterator[Row]:
    """Twenty viewers of one session."""
    size = (2 if quick else 20) * 1_000_000
    speeds = {}
    for name, stuck in (("all reading", 0), ("one not reading", 1)):
        with TemporaryDirectory() as folder, ours() as (port, pid):
            path = Path(folder, "lines")
            _lines(path, size, False)
            first = Ours(port, token=TOKEN, command=f"stty raw -echo; printf r; read x; exec cat {path}")
            _until(first, b"r")
            readers = [_viewer(port, first.session) for _ in range(20 - stuck)]
            before = memory(pid)
            first.type(b"\n")
            if not stuck:
                first.close()
            began = time.perf_counter()
            others = {count for count, _ in (reader.drained() for reader in readers)}
            speeds[name] = size / (time.perf_counter() - began) / 1e6
            complete = others == {path.stat().st_size}
            yield Row(f"20 viewers, {name}: all bytes for each", "", {"ours": float(complete)}, "yes", complete)
            grown = (memory(pid) - before) / (1 << 20)
            yield Row(f"20 viewers, {name}: memory", "MiB", {"ours": grown}, "<= 1 + buffers", None)
    ratio = speeds["one not reading"] / speeds["all reading"]
    yield Row("20 viewers: speed with one not reading", "x", {"ours": ratio}, ">= 0.8", ratio >= 0.8)


def density(quick: bool) -> Iterator[Row]:
    """Memory of idle sessions."""
    count = 100 if quick else 1000
    with ours("--timeout", "600") as (port, pid), ExitStack() as stack:
        Ours(port, "warm", token=TOKEN, command="sleep 9999").greet()
        before = memory(pid)
        clients = []
        for number in range(count):
            client = Ours(port, f"s{number}", token=TOKEN, command="exec sleep 9999")
            client.greet()
            clients.append(client)
            stack.callback(client.close)
        attached = (memory(pid) - before) / count / 1024
        yield Row(f"{count} idle sessions, attached, each", "KiB", {"ours": attached}, "<= 64", attached <= 64)
        for client in clients:
            client.close()
        time.sleep(1)
        detached = (memory(pid) - before) / count / 1024
        yield Row(f"{count} idle sessions, detached, each", "KiB", {"ours": detached}, "<= 40", detached <= 40)
        used = cpu(pid)
        time.sleep(1 if quick else 5)
        idle = cpu(pid) - used
        yield Row("CPU of these in 5 s", "s", {"ours": idle}, "0", idle <= 0.02)


def attach(quick: bool) -> Iterator[Row]:
    """Coming back, to sessions with full logs."""
    count = 50 if quick else 500
    fill = "yes 'a line of some seventy characters, as programs write them all day long' | head -15000; exec sleep 9999"
    with ours() as (port, pid):
        sessions = []
        for number in range(count):
            client = Ours(port, f"s{number}", token=TOKEN, command=fill)
            client.greet()
            while client.offset < 1_000_000:
                client.output()
            sessions.append((f"s{number}", client.hello["epoch"], client.offset))
            client.close()
        _until_idle(pid)
        for name, more in (("by offset", "&epoch={1}&offset={2}"), ("by picture", "")):
            values = _at_once(port, [(session, more.format(session, epoch, at)) for session, epoch, at in sessions])
            worst = percentile(values, 99) * 1000
            row = Row(f"{count} reattaches at once, {name}, p50", "ms", {"ours": percentile(values, 50) * 1000})
            yield row
            target = ("< 220", worst < 220) if name == "by offset" else ("", None)
            yield Row(f"{count} reattaches at once, {name}, p99", "ms", {"ours": worst}, *target)
        one = "seq 1 1024; exec sleep 9999"
        client = Ours(port, "filled", token=TOKEN, command=one)
        _until(client, b"1024")
        client.close()
        time.sleep(0.3)
        times = []
        for _ in range(50 if quick else 200):
            began = time.perf_counter()
            client = Ours(port, "filled", token=TOKEN)
            client.greet()
            times.append(time.perf_counter() - began)
            client.close()
        worst = percentile(times, 99) * 1000
        yield Row("reattach to 1,000 lines of scrollback, p99", "ms", {"ours": worst}, "< 50", worst < 50)


def _until_idle(pid: int) -> None:
    """Wait until a server has nothing left to do: its models have caught up."""
    before = -1.0
    while (now := cpu(pid)) != before:
        before = now
        time.sleep(0.5)


def _at_once(port: int, sessions: list[tuple[str, str]]) -> list[float]:
    """Seconds until each of these attaches, begun together, had been greeted and drawn."""
    began = time.perf_counter()
    waiting: dict[int, Pending] = {}
    times = []
    poll = select.epoll()
    for session, more in sessions:
        client = Pending(port, session, more)
        waiting[client.socket.fileno()] = client
        poll.register(client.socket, select.EPOLLIN)
    while waiting:
        for descriptor, _ in poll.poll():
            client = waiting[descriptor]
            if client.ready():
                times.append(time.perf_counter() - began)
                poll.unregister(descriptor)
                del waiting[descriptor]
                client.socket.close()
    return times


class Pending:
    """An attach that is looked at only when something has come."""

    def __init__(self, port: int, session: str, more: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.seen = bytearray()
        request = upgrade(port, terminal(session, more=more), f"Authorization: Bearer {TOKEN}\r\n{V1}")
        self.socket.sendall(request.encode())

    def ready(self) -> bool:
        """Whether the hello and the whole picture are there."""
        self.seen += self.socket.recv(1 << 20)
        head = self.seen.find(b'"snapshot":')
        if head < 0:
            return False
        number = self.seen[head + 11 :].split(b",")[0]
        return len(self.seen) >= head + int(number)


def churn(quick: bool) -> Iterator[Row]:
    """Sessions opened, read to their end, and ended."""
    count = 100 if quick else 1000
    with ours() as (port, pid):
        for _ in range(50):
            _drain(Ours(port, token=TOKEN, command="echo warm"))
        before, descriptors, times = memory(pid), len(list(Path(f"/proc/{pid}/fd").iterdir())), []
        began = time.perf_counter()
        for _ in range(count):
            start = time.perf_counter()
            client = Ours(port, token=TOKEN, command="echo hello")
            _drain(client)
            client.close()
            times.append(time.perf_counter() - start)
        yield Row(f"{count} sessions one after the other", "/s", {"ours": count / (time.perf_counter() - began)})
        yield Row("one of these, p99", "ms", {"ours": percentile(times, 99) * 1000})
        time.sleep(1)
        left = len(list(Path(f"/proc/{pid}/fd").iterdir())) - descriptors
        yield Row("descriptors left by them", "", {"ours": float(left)}, "0", left <= 0)
        grown = (memory(pid) - before) / count / 1024
        yield Row("memory left by each", "KiB", {"ours": grown}, "< 1", grown < 1)


MEASURES: dict[str, Callable[[bool], Iterator[Row]]] = {
    "throughput": throughput,
    "echo": echo,
    "fan-out": fan_out,
    "density": density,
    "attach": attach,
    "churn": churn,
}


def raise_limits() -> None:
    """Thousands of sockets need as many descriptors."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
