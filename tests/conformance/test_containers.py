"""What Coder's tests assert of sessions in containers, of Podman where it runs one, else of the stand-in."""

from __future__ import annotations

from ..test_container import Engine, engine, podman, stand_in
from .clients import PROMPT
from .conftest import Serve

__all__ = ["engine", "podman", "stand_in"]


async def test_9_and_23_a_prompt_the_containers_hostname_and_the_end(serve: Serve, engine: Engine) -> None:
    async with serve(allow_containers="true", container_program=engine.program) as coder:
        client = await coder.attach(command="", container=engine.name)
        await client.until(lambda: PROMPT.search(client.output), "a prompt")
        await client.type("hostname\r")
        name = engine.inside("hostname").strip()
        await client.line(lambda line: line == name, "the host name")
        await client.type("exit\r")
        assert b"exit" in await client.to_the_end()
        await coder.no_session_is_left()


async def test_9_a_server_that_does_not_allow_it_gives_no_shell_at_all(serve: Serve, stand_in: Engine) -> None:
    async with serve(container_program=stand_in.program) as coder:
        if coder.transport == "websocket":
            query = f"/pty?reconnect=x&container={stand_in.name}"
            assert (await coder.serving.request("GET", query))[0] == 400
        else:
            client = await coder.attach(command="echo on the host", container=stand_in.name)
            assert await client.to_the_end() == b""
        assert await coder.sessions() == []
