from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

import pytest

from ..screen.homes import _own_home
from .clients import Coder, coder

__all__ = ["_own_home"]

Serve = Callable[..., AbstractAsyncContextManager[Coder]]


@pytest.fixture(params=["buffered", "screen"])
def backend(request: pytest.FixtureRequest) -> str:
    """Each backend."""
    return str(request.param)


@pytest.fixture(params=["agent", "websocket"])
def transport(request: pytest.FixtureRequest) -> str:
    """Each of Coder's transports."""
    return str(request.param)


@pytest.fixture
def serve(transport: str, backend: str) -> Serve:
    """Starts a server, whose flags are the arguments."""
    return partial(coder, transport, backend)
