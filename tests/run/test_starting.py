"""The gate of those who start: who waits, for whom, and in which order."""

import asyncio
from collections.abc import Awaitable, Callable

from harness.run.starting import StartGate


def in_turn(act: Callable[[StartGate, list[str]], Awaitable[None]]) -> list[str]:
    """What `act` wrote down, with a gate of one place."""
    seen: list[str] = []
    asyncio.run(asyncio.wait_for(_acted(act, seen), 5))
    return seen


async def _acted(act: Callable[[StartGate, list[str]], Awaitable[None]], seen: list[str]) -> None:
    await act(StartGate(1), seen)


async def _start(gate: StartGate, seen: list[str], name: str, *, leaves: int = 1) -> None:
    leave = await gate.enter()
    seen.append(f"{name} in")
    await asyncio.sleep(0)
    seen.append(f"{name} out")
    for _ in range(leaves):
        leave()


def test_nobody_starts_before_a_place_is_free() -> None:
    """And those who wait come in by the order in which they asked."""

    async def act(gate: StartGate, seen: list[str]) -> None:
        await asyncio.gather(*(_start(gate, seen, name) for name in "abc"))

    assert in_turn(act) == ["a in", "a out", "b in", "b out", "c in", "c out"]


def test_a_place_is_given_back_once() -> None:
    """Opened, and its time over, and its cell at an end: one place all the same."""

    async def act(gate: StartGate, seen: list[str]) -> None:
        await _start(gate, seen, "a", leaves=3)
        await asyncio.gather(*(_start(gate, seen, name) for name in "bc"))

    assert in_turn(act) == ["a in", "a out", "b in", "b out", "c in", "c out"]


def test_whoever_waits_can_be_cancelled() -> None:
    """Ctrl-C does not take a place with it."""

    async def act(gate: StartGate, seen: list[str]) -> None:
        leave = await gate.enter()
        waiting = asyncio.create_task(_start(gate, seen, "a"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        leave()
        await _start(gate, seen, "b")

    assert in_turn(act) == ["b in", "b out"]
