"""`rpa-bridge auth`: log in, and see or forget the kept logins."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from .commands import Noun, examples
from .session import Session, on_connection, pick, run_with_bridge
from .state import State

if TYPE_CHECKING:
    from rpa_bridge.bridge import Bridge
    from rpa_bridge.contract.adapter import LoginStatus

COLUMNS = ("connection", "identity", "way", "state", "left", "refresh_kept", "refresh_until", "stored", "scopes")


@click.group(cls=Noun)
def auth() -> None:
    """Log in, and see or forget the kept logins."""


@auth.command("login", epilog=examples("rpa-bridge auth login uipath-prod", "rpa-bridge auth login --no-browser"))
@click.argument("connection", required=False)
@click.option("--no-browser", is_flag=True, help="Only print the address; it must be opened on this machine.")
def login(connection: str | None, no_browser: bool) -> None:
    """Logs in now, and shows who that is: a person with a browser, everything else with what the settings hold.

    A person has two minutes. The address is printed on stderr in any case.
    """

    async def work(bridge: Bridge, state: State) -> None:
        from rpa_bridge.errors import UnsupportedError

        session = Session(bridge[pick(list(bridge), connection or state.on)], state)
        try:
            await session.adapter.log_in(lambda address: _show_address(session, address, browse=not no_browser))
        except UnsupportedError:
            await session.adapter.fetch_login()
        found = await session.adapter.login_status()
        if found is not None and found.refresh_kept and found.stored == "memory":
            session.note("the login ends with this command: it is kept in memory only; set `cache_dir` in the settings")
        session.show(_line(session.connection, found))

    run_with_bridge(work)


@auth.command("status", epilog=examples("rpa-bridge auth status", "rpa-bridge auth status --on uipath-prod"))
def status() -> None:
    """Shows who we are and for how long, without asking a platform; never the token. Without --on: everywhere."""

    async def work(bridge: Bridge, state: State) -> None:
        from .render import show_rows

        names = list(bridge) if state.on is None else [state.on]
        show_rows([_line(name, await bridge[name].login_status()) for name in names], COLUMNS, state.output)

    run_with_bridge(work)


@auth.command("clear", epilog=examples("rpa-bridge auth clear --on uipath-prod"))
@on_connection
async def clear(session: Session, /) -> None:
    """Forgets the kept login, for all processes that share it; the next call logs in anew."""
    await session.adapter.forget_login()
    session.note("the login is forgotten")


def _line(name: str, found: LoginStatus | None) -> dict[str, Any]:
    from rpa_bridge.clock import SystemClock

    from .render import row

    if found is None:
        return {"connection": name, "state": "needs no login"}
    left = None
    if found.expires_at is not None:
        seconds = (found.expires_at - SystemClock().now()).total_seconds()
        left = timedelta(seconds=max(0, round(seconds)))
    return {"connection": name, **row(found), "left": left}


def _show_address(session: Session, address: str, *, browse: bool) -> None:
    """Shows where the person is to go. No secret is in it, and cleaned of what looks like one it would lead nowhere."""
    import webbrowser

    session.note("open this address in a browser on this machine:")
    click.echo(address, err=True)
    if browse:  # aside: a browser in the terminal holds on until it is closed, and we must answer it meanwhile
        asyncio.get_running_loop().run_in_executor(None, webbrowser.open, address)
