"""What every test must leave behind: nothing. And what the product must not do in any of them: hold up the loop."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import AsyncIterator, Generator, Iterator

import pytest
from blockbuster import BlockBuster
from hypothesis import HealthCheck, settings
from pytest_asyncio import is_async_test

from .support.leaks import Held, LoopWatch, settled, start_small

# How long an example takes is the machine's affair. Examples are the same each time, so that a failure is the change's;
# scripts/fuzz looks for others.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("others", settings.get_profile("same"), derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

# nohup, or a shell's `&`, has signals ignored, and what is ignored here would be by all that the tests start.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)

HELD = pytest.StashKey[Held]()
MAY_WAIT = re.compile(r"time\.sleep|os\.(read|write|sendfile)|(socket|ssl|threading)\..+")
"""Calls that wait for somebody else. Looking at a local file is none of them, nor is writing a line of the log."""


@pytest.fixture(scope="session", autouse=True)
def nothing_holds_up_the_loop() -> Iterator[None]:
    """Fails a wait in the product's own code while an event loop runs in that thread."""
    blocking = [
        function
        for name, function in BlockBuster(["reconnectingpty", "reconnectingpty_server"]).functions.items()
        if MAY_WAIT.fullmatch(name)
    ]
    for function in blocking:
        function.activate()
    yield
    for function in blocking:
        function.deactivate()


@pytest.fixture(autouse=True)
def nothing_is_left(request: pytest.FixtureRequest) -> None:
    """Fails a test that leaves descriptors, children, threads or tasks, or an error that nobody took notice of."""
    request.node.stash[HELD] = Held.now()
    start_small()
    if is_async_test(request.node):
        request.getfixturevalue("nothing_is_left_on_the_loop")


@pytest.fixture
async def nothing_is_left_on_the_loop() -> AsyncIterator[None]:
    """The loop's part of it."""
    watch = LoopWatch()
    yield
    left = await watch.left()
    assert not left, left


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """The process's part of it, when the loop is closed: what the loop itself held is not the test's."""
    yield
    if HELD in item.stash:
        left = settled(item.stash[HELD])
        assert not left, left
