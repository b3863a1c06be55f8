"""Recordings: that they hold what the terminal showed, when it did, and that no session suffers from one."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import resource
import stat
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from reconnectingpty import Metrics, OptionError, Options, ReconnectingPTY, Recordings, State, new
from reconnectingpty.asciicast import Recording, size_of
from reconnectingpty.recording import Recorder
from reconnectingpty.terminal.emulator import Emulator
from reconnectingpty.terminal.parser import Parser
from reconnectingpty.terminal.screen import Screen
from reconnectingpty.wire.messages import Resize

from .support.attached import PATIENCE, Attached, Holding, session_of


class Played:
    """A recording that was read: its header, its events, and what a terminal shows at its end."""

    def __init__(self, path: Path) -> None:
        lines = path.read_text().splitlines(keepends=True)
        self.path = path
        self.head = json.loads(lines[0])
        self.recording = Recording(lines)
        self.events = list(self.recording)
        assert len(self.events) == len(lines) - 1
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def of(self, code: str) -> list[str]:
        return [event.text for event in self.events if event.code == code]

    @property
    def output(self) -> str:
        return "".join(self.of("o"))

    def screen(self) -> Screen:
        size = self.recording.size
        parser = Parser(Emulator(size.cols, size.rows, 0))
        for event in self.events:
            if event.code == "o":
                parser.feed(event.text.encode())
            elif event.code == "r" and (size := size_of(event) or size):
                parser.emulator.resize(size.rows, size.cols)
        return Screen.of(parser.emulator)


def played(directory: Path) -> list[Played]:
    """All recordings there, in the order of their parts."""
    return sorted((Played(path) for path in directory.iterdir()), key=lambda one: int(one.path.suffixes[-2][1:]))


@asynccontextmanager
async def recorded(directory: Path, command: str = "", **options: Any) -> AsyncIterator[ReconnectingPTY]:
    """A session that is recorded there."""
    bounds = {name: options.pop(name) for name in ("file_size", "total_size", "files", "input") if name in options}
    async with session_of(command, record=Recordings(directory, **bounds), **options) as session:
        yield session


async def taken(session: ReconnectingPTY) -> None:
    """Wait until the recorder has taken all output there is."""
    recorder = session._recorder
    assert isinstance(recorder, Recorder)
    async with asyncio.timeout(PATIENCE):
        while not recorder._reader.at_end:
            await asyncio.sleep(0.02)


async def to_its_end(session: ReconnectingPTY, **more: Any) -> Attached:
    """Attach, and see it to its end."""
    one = Attached.to(session, **more)
    async with asyncio.timeout(PATIENCE):
        await asyncio.wait([one.outcome])
        await session.wait()
    return one


async def test_it_holds_the_output_its_times_sizes_and_the_exit(tmp_path: Path) -> None:
    async with recorded(tmp_path, "stty -echo; echo first; read x; sleep 0.3; stty size; exit 7") as session:
        before = time.time()
        one = Attached.to(session, rows=20, cols=70)
        await one.until(b"first")
        assert session.info().recorded
        one.feed(Resize(30, 90))
        await one.when(lambda: session.info().rows == 30)
        one.feed(b"go\n")
        await one.until(b"30 90")
        async with asyncio.timeout(PATIENCE):
            await session.wait()
    (cast,) = played(tmp_path)
    assert cast.head["version"] == 3
    assert cast.head["term"] == {"cols": 70, "rows": 20, "type": "xterm-256color"}
    assert before - 2 <= cast.head["timestamp"] <= time.time()
    assert cast.output == "first\r\n30 90\r\n"
    assert (cast.of("r"), cast.of("x"), cast.of("i")) == (["90x30"], ["7"], [])
    # The intervals are relative: the one before the last output has the program's pause in it.
    assert cast.events[-1].code == "x"
    assert next(event for event in cast.events if "30 90" in event.text).after >= 0.25
    assert sum(event.after for event in cast.events) <= time.time() - before


async def test_nothing_is_recorded_that_nobody_asked_to(tmp_path: Path) -> None:
    async with session_of("echo hello", cwd=str(tmp_path)) as session:
        await to_its_end(session)
        assert not session.info().recorded
    assert not list(tmp_path.iterdir())


async def test_what_is_typed_is_recorded_on_request_alone(tmp_path: Path) -> None:
    for input in (False, True):
        async with recorded(
            tmp_path / str(input), "stty -echo; echo ready; read x; echo got it", input=input
        ) as session:
            one = Attached.to(session)
            await one.until(b"ready")
            one.feed("pässword\n".encode())
            await one.until(b"got it")
            async with asyncio.timeout(PATIENCE):
                await session.wait()
    (silent,) = played(tmp_path / "False")
    (telling,) = played(tmp_path / "True")
    assert (silent.of("i"), "".join(telling.of("i"))) == ([], "pässword\n")
    assert "ssword" not in silent.path.read_text()
    codes = [event.code for event in telling.events]
    assert codes.index("i") < max(index for index, code in enumerate(codes) if code == "o")


async def test_characters_split_over_reads_are_whole_and_bytes_that_are_none_are_marked(tmp_path: Path) -> None:
    script = (
        r"printf 'a\xe2'; sleep 0.05; printf '\x82'; sleep 0.05; printf '\xacb\xff'; sleep 0.05; printf 'c\xf0\x9f'"
    )
    async with recorded(tmp_path, script) as session:
        await to_its_end(session)
    (cast,) = played(tmp_path)
    assert cast.output == "a€b�c�"
    assert [event.code for event in cast.events][-1] == "x"


async def test_each_end_is_told(tmp_path: Path) -> None:
    async with recorded(tmp_path / "killed", "echo ready; cat") as session:
        await Attached.to(session).until(b"ready")
        session.close()
        await session.wait()
    (cast,) = played(tmp_path / "killed")
    assert cast.of("m") == ["killed on request"]
    assert cast.of("x") == [str(128 + 1)]  # SIGHUP
    async with recorded(tmp_path / "signal", "kill -9 $$") as session:
        await to_its_end(session)
    (cast,) = played(tmp_path / "signal")
    assert (cast.of("m"), cast.of("x")) == ([], ["137"])
    async with recorded(tmp_path / "aborted", "echo ready; cat") as session:
        await Attached.to(session).until(b"ready")
        session.abort()
        async with asyncio.timeout(PATIENCE):
            await session.wait()
    (cast,) = played(tmp_path / "aborted")
    assert cast.of("m") == ["server shutting down"]
    async with recorded(tmp_path / "none", "#!/nonexistent/program") as session:
        await to_its_end(session)
        assert session.state is State.DONE
    assert not (tmp_path / "none").exists()


async def test_the_screen_backend_is_recorded_too(tmp_path: Path) -> None:
    async with recorded(tmp_path, "echo hello; exit 3", backend_type="screen") as session:
        await to_its_end(session)
    (cast,) = played(tmp_path)
    assert "hello" in cast.output
    assert cast.of("x") == ["3"]


async def test_a_flood_that_is_too_fast_is_marked_and_the_end_shows_the_true_screen(tmp_path: Path) -> None:
    script = "stty -echo; printf '\\033[31mred '; read x; seq 200000; printf '\\033[5;7Hhere'; read x; exit 0"
    async with recorded(tmp_path, script, log_limit=512 << 10) as session:
        recorder = session._recorder
        assert isinstance(recorder, Recorder)
        one = Attached.to(session)
        await one.until(b"red ")
        # The disk hangs: the thread is held up until the flood is over.
        thread = recorder._recordings._thread
        assert thread is not None
        release = threading.Event()
        holding = thread.submit(release.wait, PATIENCE)
        try:
            one.feed(b"\n")
            await one.until(b"\x1b[5;7Hhere", timeout=PATIENCE)
            shown = await session.screen()
        finally:
            release.set()
        assert holding.result() is True
        async with asyncio.timeout(PATIENCE):
            while not recorder._reader.at_end or recorder._torn:
                await asyncio.sleep(0.02)
        one.feed(b"\n")
        async with asyncio.timeout(PATIENCE):
            await session.wait()
    (cast,) = played(tmp_path)
    (gap,) = cast.of("m")
    missing = int(gap.split()[0])
    assert missing > 512 << 10
    assert "bytes of output are missing here" in gap
    written = sum(len(text) for text in cast.of("o") if not text.startswith("\x1bc"))
    assert written + missing == session.bytes_out
    assert cast.screen().text() == shown.text()
    assert "here" in shown.text()


async def test_a_recorder_slows_nothing_and_holds_no_program_up(tmp_path: Path) -> None:
    """With its thread stuck for good, a flood still goes through, and the session still ends."""
    async with recorded(tmp_path, "stty -echo; echo ready; read x; seq 300000; exit 5", linger=0.5) as session:
        one = Attached.to(session)
        await one.until(b"ready")
        recorder = session._recorder
        assert recorder is not None and recorder._recordings._thread is not None
        release = threading.Event()
        holding = recorder._recordings._thread.submit(release.wait, PATIENCE)
        one.feed(b"\n")
        try:
            async with asyncio.timeout(PATIENCE):
                await session.wait()
        finally:
            release.set()
        assert session.exit_status is not None and session.exit_status.code == 5
        assert one.output.endswith(b"300000\r\n")
        await asyncio.wrap_future(holding)


async def test_a_recording_goes_on_in_further_files_each_of_which_plays_alone(tmp_path: Path) -> None:
    script = (
        "stty -echo; printf '\\033]0;title\\007\\033[?1049h\\033[44m'; "
        "for i in $(seq 40); do read x; printf '\\033[H'; seq 3000; printf 'round %s' $i; done"
    )
    async with recorded(tmp_path, script, file_size=64 << 10) as session:
        one = Attached.to(session)
        for number in range(1, 41):
            one.feed(b"\n")
            await one.until(b"round %d" % number)
            if not number % 5:  # else a busy machine records all of them in one go
                await taken(session)
        shown = one.output
        async with asyncio.timeout(PATIENCE):
            await session.wait()
    casts = played(tmp_path)
    assert len(casts) >= 3
    assert all((64 << 10) <= cast.path.stat().st_size < (320 << 10) for cast in casts[:-1])
    assert [len(cast.of("x")) for cast in casts] == [*[0] * (len(casts) - 1), 1]
    everything = "".join(text for cast in casts for text in cast.of("o") if not text.startswith("\x1bc"))
    assert everything == shown.decode()
    parser = Parser(Emulator(80, 24, 0))
    parser.feed(shown)
    assert casts[-1].screen().ansi() == Screen.of(parser.emulator).ansi()
    assert all(cast.of("o")[0].startswith("\x1bc") for cast in casts[1:])
    assert sum(text.startswith("\x1bc") for cast in casts for text in cast.of("o")) == len(casts) - 1


async def test_the_oldest_recordings_go_and_none_that_is_being_written(tmp_path: Path) -> None:
    def recording(name: str, age: int) -> Path:
        path = tmp_path / f"{name}-20200101T000000Z-abcdef01.0.cast"
        path.write_bytes(b"x" * 40_000)
        os.utime(path, (time.time() - age, time.time() - age))
        return path

    oldest, written, newest, other = *(recording(n, a) for n, a in (("a", 90), ("b", 80), ("c", 5))), tmp_path / "notes"
    other.write_bytes(b"y" * 500_000)
    (tmp_path / "z-20200101T000000Z-abcdef01.0.cast").symlink_to(other)
    with written.open("rb") as locked:
        fcntl.flock(locked, fcntl.LOCK_SH)
        async with recorded(tmp_path, "echo hello", file_size=65536, total_size=100_000) as session:
            await to_its_end(session)
        left = {path.name for path in tmp_path.iterdir()}
    assert oldest.name not in left
    assert {written.name, newest.name, other.name, "z-20200101T000000Z-abcdef01.0.cast"} < left
    assert len(left) == 5
    async with recorded(tmp_path, "echo hello", files=1) as session:
        await to_its_end(session)
    (only,) = (path for path in tmp_path.glob("*.cast") if not path.is_symlink())
    assert "hello" in Played(only).output


async def test_a_directory_full_of_what_is_being_written_ends_the_newest_growth_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics()
    script = "stty -echo; echo ready; read x; head -c 300000 /dev/zero | tr '\\0' z; echo still here; cat"
    async with recorded(tmp_path, script, file_size=65536, total_size=65536, metrics=metrics) as session:
        one = Attached.to(session)
        await one.until(b"ready")
        one.feed(b"\n")
        await one.until(b"still here")
        async with asyncio.timeout(PATIENCE):
            while session.recorded:
                await asyncio.sleep(0.02)
        assert not session.info().recorded
        one.feed(b"alive\n")
        await one.until(b"alive")
    assert "its recording stops: what is being recorded fills the directory" in caplog.text
    assert metrics.registry.get_sample_value("reconnecting_pty_errors_total", {"error_type": "recording"}) == 1
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 65536


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """What the system says of larger ones is what it says of a full disk, but for the word (EFBIG)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_stops_the_recording_and_not_the_session(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    script = "stty -echo; echo ready; read x; seq 30000; echo still here; cat"
    async with recorded(tmp_path, script) as session:
        one = Attached.to(session)
        await one.until(b"ready")
        with no_file_larger_than(100_000):
            one.feed(b"\n")
            await one.until(b"still here")
            async with asyncio.timeout(PATIENCE):
                while session.recorded:
                    await asyncio.sleep(0.02)
        one.feed(b"alive\n")
        await one.until(b"alive")
    (cast,) = played(tmp_path)  # every line of it is whole
    assert "ready" in cast.output
    assert cast.path.stat().st_size <= 100_000
    assert "its recording stops: File too large" in caplog.text


async def test_a_directory_that_can_not_be_is_told_and_the_session_lives(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("not a directory")
    async with recorded(tmp_path / "file" / "casts", "echo hello; exit 4") as session:
        one = await to_its_end(session)
        assert b"hello" in one.output
    assert session.exit_status is not None and session.exit_status.code == 4
    assert "its recording stops: Not a directory" in caplog.text


async def test_no_thread_to_be_had_is_told_and_the_session_lives(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith("recording"):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    async with recorded(tmp_path, "echo hello; exit 4") as session:
        assert b"hello" in (await to_its_end(session)).output
    assert session.exit_status is not None and session.exit_status.code == 4
    assert "its recording stops: can't start new thread" in caplog.text


async def test_names_of_files_are_safe_whatever_the_session_is_called(tmp_path: Path) -> None:
    for name in ("../../etc/passwd", "-rf", ".hidden", "a b\nc", "ü" * 300, "x" * 64):
        session = new("true", Options(backend_type="buffered", record=Recordings(tmp_path / "casts")), session_id=name)
        await to_its_end(session)
    names = sorted(path.name for path in (tmp_path / "casts").iterdir())
    assert len(names) == 6
    assert all(name[0] not in ".-" and name.isascii() and name.isprintable() and " " not in name for name in names)
    assert all(len(name) < 110 for name in names)
    assert [path.name for path in tmp_path.iterdir()] == ["casts"]


async def test_a_slow_viewer_leaves_the_recording_whole(tmp_path: Path) -> None:
    async with recorded(tmp_path, "stty -echo; echo ready; read x; seq 20000", linger=0.3) as session:
        slow = Holding()
        attaching = asyncio.create_task(session.attach(slow, "slow", 24, 80))
        await slow.until(b"ready")
        slow.shut()
        other = Attached.to(session)
        await other.until_told(object)
        other.feed(b"\n")
        async with asyncio.timeout(PATIENCE):
            await session.wait()
        await asyncio.gather(attaching, return_exceptions=True)
    (cast,) = played(tmp_path)
    assert cast.output == "ready\r\n" + "".join(f"{n}\r\n" for n in range(1, 20001))


@pytest.mark.parametrize("wrong", [{"file_size": 1000}, {"total_size": 100}, {"files": 0}])
def test_bounds_that_can_not_be_are_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(OptionError, match="room"):
        Recordings(tmp_path, **wrong)  # type: ignore[arg-type]
