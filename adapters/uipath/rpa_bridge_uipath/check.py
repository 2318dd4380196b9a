"""What a person should know before relying on a connection to UiPath."""

from __future__ import annotations

from rpa_bridge.auth.tokens import TokenCache
from rpa_bridge.contract.adapter import Finding
from rpa_bridge.errors import BridgeError, DeniedError
from rpa_bridge.transport.base import Effect

from .client import Client

RIGHTS = (
    ("automations", "Releases", "OR.Execution or OR.Execution.Read"),
    ("jobs", "Jobs", "OR.Jobs or OR.Jobs.Read"),
    ("queues", "QueueDefinitions", "OR.Queues or OR.Queues.Read"),
)
"""Noun, collection, and the scope that reads it. docs: uipath.md 3.7 to 3.9"""


async def check(client: Client, tokens: TokenCache) -> list[Finding]:
    """The log-in, and then each right; when the log-in fails, there is nothing more to ask."""
    try:
        await tokens.get()
    except BridgeError as error:
        return [Finding(subject="log-in", ok=False, message=str(error))]
    findings = [Finding(subject="log-in", ok=True, message="the platform gave a token")]
    for noun, collection, scope in RIGHTS:
        findings.append(await _may_read(client, noun, collection, scope))
    return findings


async def _may_read(client: Client, noun: str, collection: str, scope: str) -> Finding:
    operation = f"check.{noun}"
    try:
        path = f"/odata/{collection}"
        await client.call("GET", path, effect=Effect.READ, operation=operation, params={"$top": "1"})
    except BridgeError as error:
        mend = f" (scope {scope}, and the folder's role)" if isinstance(error, DeniedError) else ""
        return Finding(subject=noun, ok=False, message=f"{error}{mend}")
    return Finding(subject=noun, ok=True, message="may be read in this folder")
