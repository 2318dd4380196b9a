"""`rpa-bridge auth`: see or forget the kept logins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .commands import Noun, examples
from .session import Session, on_connection, run_with_bridge
from .state import State

if TYPE_CHECKING:
    from rpa_bridge.bridge import Bridge

COLUMNS = ("connection", "identity", "state", "expires_at", "stored", "scopes")


@click.group(cls=Noun)
def auth() -> None:
    """See or forget the kept logins."""


@auth.command("status", epilog=examples("rpa-bridge auth status", "rpa-bridge auth status --on uipath-prod"))
def status() -> None:
    """Shows who we are and for how long, without asking a platform; never the token. Without --on: everywhere."""

    async def work(bridge: Bridge, state: State) -> None:
        from .render import show_rows

        names = list(bridge) if state.on is None else [state.on]
        show_rows([await _line(bridge, name) for name in names], COLUMNS, state.output)

    run_with_bridge(work)


async def _line(bridge: Bridge, name: str) -> dict[str, Any]:
    from .render import row

    found = await bridge[name].login_status()
    return {"connection": name, **({"state": "needs no login"} if found is None else row(found))}


@auth.command("clear", epilog=examples("rpa-bridge auth clear --on uipath-prod"))
@on_connection
async def clear(session: Session, /) -> None:
    """Forgets the kept login, for all processes that share it; the next call logs in anew."""
    await session.adapter.forget_login()
    session.note("the login is forgotten")
