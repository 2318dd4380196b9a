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
RIGHTS = {
    "automations": "GET */activity*",
    "jobs": "GET */task*",
    "queues": "GET */datapool*",
    "credentials": "GET */credential/*",
    "artifacts": "GET */artifact*",
    "robots": "GET */machine*",
    "logs": "GET */log",
    "alerts": "GET */alerts*",
    "incidents": "GET */error*",
    "schedules": "GET */scheduling*",
}


async def found(adapter: Adapter) -> dict[str, tuple[bool, str]]:
    return {one.subject: (one.ok, one.message) for one in await adapter.check()}


async def test_all_is_well(open_maestro: Opens, requests: Callable[[str], list[Exchange]]) -> None:
    findings = await found(open_maestro(key_days=12))

    assert list(findings) == ["server", "log-in", *RIGHTS]
    assert all(ok for ok, _ in findings.values())
    assert findings["server"][1] == "answers, version 4.0.0"
    assert "keys of starts are looked for 12 days back" in findings["log-in"][1]
    assert len(requests("*")) == len(findings), "one request each"


async def test_no_secret_travels_to_see_whether_credentials_may_be_read(
    maestro: Adapter, requests: Callable[[str], list[Exchange]]
) -> None:
    findings = await found(maestro)

    assert findings["credentials"] == (True, "may be read")
    assert [one.status for one in requests(RIGHTS["credentials"])] == [404]


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


async def test_an_old_server_is_told_from_missing_rights(
    sandbox: Sandbox, maestro: Adapter, requests: Callable[[str], list[Exchange]]
) -> None:
    sandbox.world.switches["botmaestro.version"] = "2.5.1"

    findings = await found(maestro)

    assert all(ok for ok, _ in findings.values())
    assert "queues" not in findings
    assert not requests(RIGHTS["queues"])
    told = findings["server"][1]
    assert told.startswith("answers, version 2.5.1; too old for credentials.delete (3.0.0), ")
    assert told.endswith("queues (3.0.2)")


async def test_a_token_that_every_call_is_refused_with_is_said_once(sandbox: Sandbox, maestro: Adapter) -> None:
    headers = {"Content-Type": "application/json"}
    for match in RIGHTS.values():
        sandbox.world.faults.add(
            Fault(FaultKind.STATUS, match=match, status=401, headers=headers, times=9, body='{"message": "Who?"}')
        )

    findings = await found(maestro)

    assert [(name, ok) for name, (ok, _) in findings.items()] == [("server", True), ("log-in", False)]
    assert "Who?" in findings["log-in"][1]


async def test_a_server_without_a_version_still_answers(sandbox: Sandbox, maestro: Adapter) -> None:
    headers = {"Content-Type": "application/json"}
    sandbox.world.faults.add(
        Fault(FaultKind.STATUS, match="*/maestro/version", status=200, body='["?"]', headers=headers)
    )

    assert (await found(maestro))["server"] == (True, "answers, version not told")
