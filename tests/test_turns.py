"""Slices of background work: one a turn, in order, each once."""

from __future__ import annotations

import asyncio

from reconnectingpty.turns import turns


async def test_each_slice_has_a_turn_of_its_own_so_that_others_get_in_between() -> None:
    done: list[str] = []
    queue = turns()
    for name in "abc":
        queue.ask(lambda name=name: done.append(name))  # type: ignore[misc]
    for _ in range(6):
        await asyncio.sleep(0)
        done.append("-")
    assert "".join(done).strip("-").count("-") >= 2
    assert [name for name in done if name != "-"] == ["a", "b", "c"]


async def test_asking_twice_is_asking_once_and_what_is_forgotten_is_not_called() -> None:
    done: list[str] = []

    def one() -> None:
        done.append("one")

    def two() -> None:
        done.append("two")

    for _ in range(2):
        turns().ask(one)
        turns().ask(two)
    turns().forget(two)
    for _ in range(4):
        await asyncio.sleep(0)
    assert done == ["one"]
