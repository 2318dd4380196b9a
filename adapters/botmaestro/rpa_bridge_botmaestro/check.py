"""What a person should know before relying on a connection to BotMaestro."""

from __future__ import annotations

from rpa_bridge.auth.tokens import TokenCache
from rpa_bridge.contract.adapter import Finding
from rpa_bridge.errors import BridgeError
from rpa_bridge.transport.base import Effect, Request
from rpa_bridge.transport.decode import json_of

from .client import Client

RIGHTS = (("automations", "/activity"), ("jobs", "/task"), ("queues", "/datapool"))
"""Noun, and the path that reads it. docs: botmaestro.md 3, 9 and 10"""


async def check(client: Client, tokens: TokenCache) -> list[Finding]:
    """The server, the log-in, and then each right; what cannot be reached ends it."""
    server = await _server(client)
    if not server.ok:
        return [server]
    try:
        await tokens.get()
    except BridgeError as error:
        return [server, Finding(subject="log-in", ok=False, message=str(error))]
    findings = [server, Finding(subject="log-in", ok=True, message="the platform gave a token")]
    for noun, path in RIGHTS:
        findings.append(await _may_read(client, noun, path))
    return findings


async def _server(client: Client) -> Finding:
    request = Request("GET", "/maestro/version", effect=Effect.READ, operation="check.server", signed=False)
    try:
        answer = json_of(request, await client.transport.send(request))
    except BridgeError as error:
        return Finding(subject="server", ok=False, message=str(error))
    version = answer.get("version") if isinstance(answer, dict) else None
    return Finding(subject="server", ok=True, message=f"answers, version {version or 'not told'}")


async def _may_read(client: Client, noun: str, path: str) -> Finding:
    params = {"page": "0", "size": "1"}
    try:
        await client.call("GET", path, effect=Effect.READ, operation=f"check.{noun}", params=params)
    except BridgeError as error:
        return Finding(subject=noun, ok=False, message=str(error))
    return Finding(subject=noun, ok=True, message="may be read")
