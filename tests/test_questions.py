"""What a program asks of its terminal is answered once: by the viewer that leads, or else by the session."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from reconnectingpty import ReconnectingPTY
from reconnectingpty.buffered import BufferedPTY
from reconnectingpty.questions import MOST, PATIENCE, Questions
from reconnectingpty.wire.messages import OutputAck

from .support.attached import Attached, session_of
from .support.clock import pass_time
from .support.programs import fifo

RAW = "stty raw -echo; "
DA1 = r"\033[c"
HEX = r"od -An -tx1 | tr -d ' \n'"
SHOW = "od -An -c -v -w1000 | tr -d ' '"
"""Everything that the program reads, as text."""
VIEWERS = b"\x1b[?65;4;6c"


def asking(question: str = DA1, length: int = 7) -> str:
    """A program that asks when it is told to, and shows what it reads, in pieces of `length` bytes."""
    return f"{RAW}printf '>'; read -n 1 x; printf '{question}'; head -c {length} | {SHOW}; printf '<'; cat"


def questions_seen(session: ReconnectingPTY) -> asyncio.Event:
    """Set when the session's model has come to a question."""
    assert isinstance(session, BufferedPTY)
    emulator, seen = session.model.emulator, asyncio.Event()
    ask = emulator.on_query
    assert ask is not None

    def on_query(answer: bytes) -> None:
        ask(answer)
        seen.set()

    emulator.on_query = on_query
    return seen


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (r"\033[c", b"\x1b[?1;2c"),
        (r"\033[>c", b"\x1b[>0;276;0c"),
        (r"\033[=c", b"\x1bP!|00000000\x1b\\"),
        (r"\033[5n", b"\x1b[0n"),
        (r"\033[3;7H\033[6n", b"\x1b[3;7R"),
        (r"\033[3;7H\033[?6n", b"\x1b[?3;7R"),
        (r"\033[4$p", b"\x1b[4;2$y"),
        (r"\033[?2004h\033[?2004$p", b"\x1b[?2004;1$y"),
        (r"\033[>q", b"\x1bP>|reconnectingpty\x1b\\"),
        (r"\033P$qm\033\\", b"\x1bP1$r0m\x1b\\"),
        (r"\033P+q544e\033\\", b"\x1bP1+r544e=787465726D2D323536636F6C6F72\x1b\\"),
        (r"\033]11;?\033\\", b"\x1b]11;rgb:0000/0000/0000\x1b\\"),
        (r"\033]4;1;?\033\\", b"\x1b]4;1;rgb:cdcd/0000/0000\x1b\\"),
        (r"\033[18t", b"\x1b[8;24;80t"),
        (r"\033[?u", b"\x1b[?0u"),
    ],
)
async def test_the_session_answers_when_nobody_is_attached(question: str, answer: bytes, tmp_path: Path) -> None:
    with fifo(tmp_path) as gate:
        script = f"{RAW}printf ready; read < {gate.path}; printf '{question}'; head -c {len(answer)} | {HEX}; cat"
        async with session_of(script) as session:
            client = Attached.to(session)
            await client.until(b"ready")
            await client.detach()
            gate.tell()
            await Attached.to(session, readonly=True).until(answer.hex()[:60].encode())
            assert session.bytes_in == 0


async def test_the_leading_viewers_answer_goes_on_and_nobody_elses() -> None:
    async with session_of(asking(length=len(VIEWERS))) as session:
        first, leading = Attached.to(session), Attached.to(session)
        for client in (first, leading):
            await client.until(b">")
        leading.feed(b"!")
        for client in (first, leading):
            await client.until(b"\x1b[c")
        first.feed(b"\x1b[?9;9c")
        await first.answered()
        leading.feed(VIEWERS)
        first.feed(b"\x1b[?9;9c")
        await leading.until(b"<")
        assert b"033[?65;4;6c" in leading.output
        # Nothing of it comes later, either.
        leading.feed(b"typed")
        await leading.until(b"typed")
        assert leading.output.endswith(b"<typed")


async def test_an_answer_counts_as_taken_whether_it_goes_on_or_not() -> None:
    async with session_of(RAW + "printf '>'; cat") as session:
        client = Attached.to(session, readonly=False, client="me", window=1 << 20)
        leading = Attached.to(session)
        await client.until(b">")
        await leading.until(b">")
        leading.feed(b"x")
        await client.until(b"x")
        client.feed(VIEWERS)
        await client.answered()
        viewer = session._viewers.input_of("me", keep=False)
        assert (viewer.received, viewer.accepted) == (len(VIEWERS), len(VIEWERS))


async def test_a_question_that_is_replayed_is_answered_no_more() -> None:
    async with session_of(asking()) as session:
        client = Attached.to(session, client="me", window=1 << 20)
        await client.until(b">")
        client.feed(b"!")
        await client.detach()
        # The session answers, since nobody is there.
        other = Attached.to(session, readonly=True)
        await other.until(b"<")
        again = Attached.to(session, client="me", window=1 << 20, epoch=session.epoch, offset=1)
        await again.until(b"\x1b[c")
        again.feed(VIEWERS)
        again.feed(b"typed")
        await again.until(b"typed")
        assert again.output.endswith(b"<typed")
        # From here on it has seen all that was there before it came, and its terminal leads.
        again.feed(OutputAck(session.bytes_out))
        again.feed(VIEWERS)
        await again.until(VIEWERS)


async def test_a_read_only_viewer_never_answers() -> None:
    async with session_of(
        f"{RAW}printf '>'; sleep 0.1; printf '{DA1}'; head -c 7 | {SHOW}; printf '<'; cat"
    ) as session:
        client = Attached.to(session, readonly=True)
        await client.until(b"<")
        assert b"033[?1;2c" in client.output


async def test_where_there_is_no_terminal_the_session_answers_at_once_and_all_that_is_sent_is_input() -> None:
    async with session_of(
        f"{RAW}printf '>'; read -n 1 x; printf '{DA1}'; head -c 14 | {SHOW}; printf '<'; cat"
    ) as session:
        client = Attached.to(session, answers=False)
        await client.until(b">")
        client.feed(b"x")
        client.feed(b"\x1b[?9;9c")
        await client.until(b"<")
        assert b"033[?1;2c" in client.output
        assert b"033[?9;9c" in client.output


async def test_a_terminal_that_does_not_answer_holds_nobody_up_and_its_late_answer_is_dropped() -> None:
    script = f"{RAW}for i in 1 2; do printf '>'; read -n 1 x; printf '{DA1}'; head -c 7 | {SHOW}; done; printf '<'; cat"
    async with session_of(script) as session:
        client = Attached.to(session)
        await client.until(b">")
        seen = questions_seen(session)
        client.feed(b"!")
        await client.until(b"\x1b[c")
        await seen.wait()
        await pass_time(PATIENCE + 0.1)
        await client.until(b"033[?1;2c")
        # It is not waited for again.
        client.feed(b"!")
        await client.until(b"<")
        assert client.output.count(b"033[?1;2c") == 2
        for _ in range(2):
            client.feed(VIEWERS)
        client.feed(b"typed")
        await client.until(b"typed")
        assert client.output.endswith(b"<typed")


async def test_a_terminal_that_leaves_one_kind_of_question_open_still_answers_the_others() -> None:
    asked = [(DA1, 10), (r"\033P$qm\033\\", 9), (DA1, 10)]
    steps = [f"printf '>'; read -n 1 x; printf '{what}'; head -c {length} | {SHOW}; " for what, length in asked]
    script = f"{RAW}{''.join(steps)}printf '<'; cat"
    async with session_of(script) as session:
        client = Attached.to(session)
        for number, question in enumerate((b"\x1b[c", b"\x1bP$qm", b"\x1b[c")):
            await client.when(lambda prompts=number + 1: client.output.count(b">") == prompts)
            seen = questions_seen(session)
            client.feed(b"!")
            await client.until(question)
            await seen.wait()
            if number == 1:
                await pass_time(PATIENCE + 0.1)
            else:
                client.feed(VIEWERS)
        await client.until(b"<")
        assert client.output.count(b"033[?65;4;6c") == 2


async def test_a_viewer_that_leaves_without_an_answer_is_answered_for() -> None:
    async with session_of(asking()) as session:
        client, other = Attached.to(session), Attached.to(session)
        await client.until(b">")
        await other.until(b">")
        seen = questions_seen(session)
        client.feed(b"!")
        await other.until(b"\x1b[c")
        await seen.wait()
        await client.detach()
        await other.until(b"<")
        assert b"033[?1;2c" in other.output


async def test_a_program_that_goes_on_blinking_while_it_waits_gets_its_answer(tmp_path: Path) -> None:
    blink = "while :; do printf .; sleep 0.005; done &"
    with fifo(tmp_path) as gate:
        script = f"{RAW}printf ready; read < {gate.path}; {blink} printf '{DA1}'; head -c 7 | {SHOW}; kill $!; cat"
        async with session_of(script) as session:
            client = Attached.to(session)
            await client.until(b"ready")
            await client.detach()
            gate.tell()
            await Attached.to(session, readonly=True).until(b"033[?1;2c")


@pytest.mark.parametrize(
    "key", [b"\x1b[1;2R", b"\x1b[1;5R", b"\x1bOP", b"\x1b[A", b"\x1b[97;5u", b"\x1b[<0;1;1M", b"\x1b"]
)
async def test_a_key_is_no_answer(key: bytes) -> None:
    async with session_of(RAW + "printf '>'; cat") as session:
        client, other = Attached.to(session), Attached.to(session)
        await client.until(b">")
        await other.until(b">")
        other.feed(b"x")
        await client.until(b"x")
        client.feed(key)
        await client.until(key)


async def test_questions_without_end_do_not_fill_the_server() -> None:
    script = f"{RAW}printf '>'; head -c 1 > /dev/null; while :; do printf '{DA1}%.0s' $(seq 1000); done"
    async with session_of(script) as session:
        client = Attached.to(session)
        await client.until(b">")
        client.feed(b"!")
        await client.until_output(1 << 20)
        assert session._process is not None
        assert session._process.pending < 1 << 20
        assert len(session._questions._open) <= 256


async def test_questions_that_are_never_answered_leave_nothing_behind() -> None:
    asked = Questions(lambda _: None, lambda: "somebody")
    for _ in range(10 * MOST):
        asked.ask(b"\x1b[?1;2c")
    assert len(asked._late["primary"]) <= MOST
    asked.close()
