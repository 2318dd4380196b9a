"""What a person should know before relying on a connection to BotMaestro."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rpa_bridge.contract.adapter import Finding
from rpa_bridge.errors import AuthError, BridgeError, InvalidError, NotFoundError
from rpa_bridge.transport.base import Effect

from .auth import Tokens
from .client import NEWEST_FIRST, SINCE, Client, number_of
from .settings import BotMaestroSettings, RunnerSettings
from .wire.jobs import Task


@dataclass(frozen=True, slots=True)
class Right:
    """The one cheap request that shows whether a noun may be read."""

    noun: str
    path: str
    params: Mapping[str, str] = field(default_factory=lambda: {"page": "0", "size": "1"})
    may_be_missing: bool = False


RIGHTS = (  # docs: botmaestro.md 3 to 10
    Right("automations", "/activity"),
    Right("jobs", "/task"),
    Right("queues", "/datapool"),
    Right("credentials", "/credential/rpa-bridge-check", {}, may_be_missing=True),  # the list comes with all secrets
    Right("artifacts", "/artifact", {"page": "0", "size": "1", **NEWEST_FIRST}),
    Right("robots", "/machine/pagination"),
    Right("logs", "/log", {}),
    Right("alerts", "/alerts"),
    Right("incidents", "/error"),
    Right("schedules", "/scheduling"),
)


async def check(client: Client, tokens: Tokens, settings: BotMaestroSettings | RunnerSettings) -> list[Finding]:
    """The server, the log-in, and then each right; without server or log-in there is no more."""
    server = await _server(client)
    if not server.ok:
        return [server]
    try:
        await tokens.get()
        findings = await _run(client, settings) if isinstance(settings, RunnerSettings) else []
        for right in RIGHTS:
            if client.version.known_to_lack(right.noun) is None:
                findings.append(await _may_read(client, right))
    except BridgeError as error:  # of the rights, only one that every other would share
        return [server, Finding(subject="log-in", ok=False, message=str(error))]
    return [server, _logged_in(settings), *findings]


async def _server(client: Client) -> Finding:
    try:
        told = await client.version.ask()
    except BridgeError as error:
        return Finding(subject="server", ok=False, message=str(error))
    missing = [f"{what} ({since})" for what, since in SINCE.items() if client.version.known_to_lack(what)]
    too_old = f"; too old for {', '.join(missing)}" if missing else ""
    return Finding(subject="server", ok=True, message=f"answers, version {told or 'not told'}{too_old}")


def _logged_in(settings: BotMaestroSettings | RunnerSettings) -> Finding:
    if isinstance(settings, RunnerSettings):
        message = "the Runner's token is good; there is no key to get another"
    else:
        message = f"the platform gave a token; keys of starts are looked for {settings.key_days} days back"
    return Finding(subject="log-in", ok=True, message=message)


async def _run(client: Client, settings: RunnerSettings) -> list[Finding]:
    """Whether the task that this program runs is there, and how it stands. Raises AuthError."""
    operation = "check.current_job"
    try:
        number = number_of(operation, "task", settings.task)
        task = await client.read(Task, f"/task/{number}", operation=operation)
    except AuthError:
        raise
    except BridgeError as error:
        return [Finding(subject="current job", ok=False, message=str(error))]
    message = f"task {task.id} of {task.activityLabel!r} is {task.state}"
    return [Finding(subject="current job", ok=True, message=message)]


async def _may_read(client: Client, right: Right) -> Finding:
    """Whether the noun may be read. Raises AuthError: without a log-in no right is there."""
    try:
        await client.call("GET", right.path, effect=Effect.READ, operation=f"check.{right.noun}", params=right.params)
    except AuthError:
        raise
    except (NotFoundError, InvalidError) as error:
        if not right.may_be_missing:
            return Finding(subject=right.noun, ok=False, message=str(error))
    except BridgeError as error:
        return Finding(subject=right.noun, ok=False, message=str(error))
    return Finding(subject=right.noun, ok=True, message="may be read")
