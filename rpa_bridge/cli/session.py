"""What a verb works with: one open connection and a way to print."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import click

from .state import State, current_state

if TYPE_CHECKING:
    from rpa_bridge.bridge import Bridge
    from rpa_bridge.contract.adapter import Adapter

P = ParamSpec("P")


class Session:
    """One connection, for the length of one command."""

    def __init__(self, adapter: Adapter, state: State) -> None:
        self.adapter = adapter
        self.state = state

    @property
    def connection(self) -> str:
        """The connection's name."""
        return self.adapter.connection

    def show(self, value: Any) -> None:
        """Prints one value."""
        from .render import show

        show(value, self.state.output)

    async def show_all(self, values: AsyncIterator[Any], columns: Sequence[str], limit: int | None = None) -> None:
        """Prints values as they come in."""
        from .render import show_all

        await show_all(values, columns, self.state.output, limit)

    def note(self, text: str) -> None:
        """Tells a person something, on stderr."""
        from .render import note

        note(f"{self.connection}: {text}")


def on_connection(verb: Callable[Concatenate[Session, P], Awaitable[None]]) -> Callable[P, None]:
    """Makes a command of an async function whose first argument is a session on the connection that was picked."""

    @functools.wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def work(bridge: Bridge, state: State) -> None:
            session = Session(bridge[pick(list(bridge), state.on)], state)
            await verb(session, *args, **kwargs)

        run_with_bridge(work)

    return run


def run_with_bridge(work: Callable[[Bridge, State], Awaitable[None]]) -> None:
    """Does the work with the settings' connections, and closes them."""
    from rpa_bridge.bridge import Bridge

    state = current_state()

    async def opened() -> None:
        async with Bridge.load(state.settings) as bridge:
            await work(bridge, state)

    asyncio.run(opened())


def pick(names: Sequence[str], wanted: str | None) -> str:
    """The connection to use: the one asked for, or the only one. Raises UsageError that names them."""
    if wanted is not None:
        return wanted
    if len(names) == 1:
        return names[0]
    if not names:
        raise click.UsageError("the settings hold no connection; add one, see settings.example.json")
    raise click.UsageError(f"which connection? Say --on {' or --on '.join(names)} (or set RPA_BRIDGE_ON)")
