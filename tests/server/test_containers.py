"""Sessions inside containers, as a server's clients ask for them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconnectingpty.wire.coder import Init, encode_init
from reconnectingpty_server.values import Address

from ..support.serving import Told, serving
from ..test_container import stand_in_at
from .test_agent import answered

SESSION = "00000000-0000-4000-8000-000000000001"


def engine(folder: Path) -> dict[str, str]:
    """Settings with a program that runs inside what it would run in a container called `box`."""
    return {"allow_containers": "true", "container_program": stand_in_at(folder, []).program}


async def test_a_session_runs_inside_and_the_container_program_is_asked_for_it(tmp_path: Path) -> None:
    async with serving(**engine(tmp_path)) as s:
        async with s.connect("reconnect=a&container=box&command=echo+hello%3B+exit+5") as socket:
            told = Told(socket)
            assert await told.to_the_end() == (1000, "")
            assert (told.output, told.messages[-1]["code"]) == (b"hello\r\n", 5)
        address = await s.server.listen_agent(Address("127.0.0.1", 0))
        asked = encode_init(Init(SESSION, 24, 80, "echo by the stream", "box"))
        assert await answered(address, [asked], b"") == b"by the stream\r\n"
    assert (tmp_path / "record").read_text().count("exec --interactive --tty") == 2


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("container=-v", "there can be no container"),
        ("container=box&container_user=a/b", "no user"),
        ("container_user=root", "needs a container"),
    ],
)
async def test_what_can_be_no_container_is_refused_by_name(tmp_path: Path, query: str, detail: str) -> None:
    async with serving(**engine(tmp_path)) as s:
        status, _, content = await s.request("GET", f"/pty?reconnect=a&{query}")
        assert (status, detail in json.loads(content)["validations"][0]["detail"]) == (400, True), content


async def test_without_the_setting_there_are_no_containers() -> None:
    async with serving() as s:
        status, _, content = await s.request("GET", "/pty?reconnect=a&container=box")
        assert status == 400
        assert b"--allow-containers" in content
