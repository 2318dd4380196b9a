"""`check`: what it finds when all is well, and where it stops or goes on when something is not."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from rpa_bridge import Adapter
from rpa_bridge.sandbox.faults import Fault, FaultKind
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange

Opens = Callable[..., Adapter]
RIGHTS = {"automations": "GET */activity*", "jobs": "GET */task*", "queues": "GET */datapool*"}


async def found(adapter: Adapter) -> dict[str, tuple[bool, str]]:
    return {one.subject: (one.ok, one.message) for one in await adapter.check()}


async def test_all_is_well(maestro: Adapter) -> None:
    findings = await found(maestro)

    assert list(findings) == ["server", "log-in", "automations", "jobs", "queues"]
    assert all(ok for ok, _ in findings.values())
    assert "version 4.0.0" in findings["server"][1]


async def test_a_server_that_is_down_is_all_there_is_to_say(open_maestro: Opens) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        findings = await found(open_maestro(server=f"http://127.0.0.1:{unused.getsockname()[1]}"))

    assert list(findings) == ["server"]
    ok, message = findings["server"]
    assert not ok
    assert "is it running and reachable?" in message


async def test_an_address_that_gives_web_pages_is_no_server(sandbox: Sandbox, maestro: Adapter) -> None:
    sandbox.world.faults.add(Fault(FaultKind.HTML, match="*/maestro/version", times=9))

    findings = await found(maestro)

    assert list(findings) == ["server"]
    assert "check the address in the settings" in findings["server"][1]


async def test_a_wrong_key_ends_it_at_the_log_in(
    open_maestro: Opens, requests: Callable[[str], list[Exchange]]
) -> None:
    findings = await found(open_maestro(key="wrong-secret-4711"))

    assert [(name, ok) for name, (ok, _) in findings.items()] == [("server", True), ("log-in", False)]
    assert "check login and key in the settings" in findings["log-in"][1]
    assert "wrong-secret" not in str(findings)
    assert len(requests("*")) == 2


@pytest.mark.parametrize("missing", RIGHTS)
async def test_a_right_that_is_missing_is_named_and_the_others_are_still_looked_at(
    sandbox: Sandbox, maestro: Adapter, missing: str
) -> None:
    headers = {"Content-Type": "application/json"}
    fault = Fault(FaultKind.STATUS, match=RIGHTS[missing], status=403, headers=headers, body='{"message": "No access"}')
    sandbox.world.faults.add(fault)

    findings = await found(maestro)

    assert {name for name, (ok, _) in findings.items() if not ok} == {missing}
    assert findings[missing][1] == f"check.{missing}: No access; give this user the right in the workspace"


async def test_a_server_without_a_version_still_answers(sandbox: Sandbox, maestro: Adapter) -> None:
    headers = {"Content-Type": "application/json"}
    sandbox.world.faults.add(
        Fault(FaultKind.STATUS, match="*/maestro/version", status=200, body='["?"]', headers=headers)
    )

    assert (await found(maestro))["server"] == (True, "answers, version not told")
