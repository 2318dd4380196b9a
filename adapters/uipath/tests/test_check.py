"""`check`: one finding for each right, and the mend in each that is not well."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from rpa_bridge import Adapter
from rpa_bridge.sandbox.faults import Fault, FaultKind
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge_uipath.sandbox.identity import CLIENT_ID, CLIENT_SECRET

Opens = Callable[..., Adapter]


def auth(**changes: str) -> dict[str, str]:
    """The sandbox's credentials, some of them changed."""
    return {"type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET} | changes


async def found(adapter: Adapter) -> dict[str, tuple[bool, str]]:
    """The findings by subject."""
    return {one.subject: (one.ok, one.message) for one in await adapter.check()}


async def test_a_good_connection_is_well_in_all(erp: Adapter) -> None:
    findings = await found(erp)

    assert list(findings) == ["log-in", "automations", "jobs", "queues"]
    assert all(ok for ok, _ in findings.values())


async def test_a_missing_scope_is_named_and_the_others_are_well(open_erp: Opens) -> None:
    findings = await found(open_erp(auth=auth(scope="OR.Execution.Read OR.Queues")))

    assert {subject: ok for subject, (ok, _) in findings.items()} == {
        "log-in": True, "automations": True, "jobs": False, "queues": True,
    }  # fmt: skip
    assert "(scope OR.Jobs or OR.Jobs.Read, and the folder's role)" in findings["jobs"][1]


async def test_a_wrong_folder_names_the_setting_and_no_scope(open_erp: Opens) -> None:
    findings = await found(open_erp(folder="Nowhere"))

    assert findings.pop("log-in")[0]
    for ok, message in findings.values():
        assert not ok
        assert "check `folder` in the settings" in message
        assert "scope" not in message


async def test_without_a_folder_the_setting_is_asked_for(open_erp: Opens) -> None:
    findings = await found(open_erp(folder=None))

    assert "set `folder` in the settings" in findings["jobs"][1]


async def test_a_wrong_secret_ends_the_check_at_the_log_in(sandbox: Sandbox, open_erp: Opens) -> None:
    findings = await found(open_erp(auth=auth(client_secret="wrong-secret-4711")))

    assert list(findings) == ["log-in"]
    assert not findings["log-in"][0]
    assert "auth.client_secret" in findings["log-in"][1]
    assert "wrong-secret-4711" not in findings["log-in"][1]
    assert len(sandbox.world.exchanges) == 1


async def test_a_dead_server_is_a_finding_and_no_exception(open_erp: Opens) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/acme/default/orchestrator_"
        findings = await found(open_erp(url=url))

    assert list(findings) == ["log-in"]
    assert "is it running and reachable" in findings["log-in"][1]


@pytest.mark.parametrize("kind", [FaultKind.HTML, FaultKind.CUT, FaultKind.STATUS])
async def test_one_bad_answer_spoils_its_own_finding_only(sandbox: Sandbox, open_erp: Opens, kind: FaultKind) -> None:
    sandbox.faults.add(Fault(kind, match="GET */odata/Jobs[?]*", times=9))

    findings = await found(open_erp())

    assert {subject: ok for subject, (ok, _) in findings.items()} == {
        "log-in": True, "automations": True, "jobs": False, "queues": True,
    }  # fmt: skip
    assert "scope" not in findings["jobs"][1]
