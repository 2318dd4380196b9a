"""`check`: one finding for each thing that may be wrong, and the mend in each that is not well."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from rpa_bridge import Adapter
from rpa_bridge.sandbox.faults import Fault, FaultKind
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.testing import ManualClock
from rpa_bridge_uipath.sandbox.identity import CLIENT_ID, CLIENT_SECRET
from rpa_bridge_uipath.sandbox.tokens import PERSONAL_ACCESS_TOKEN

Opens = Callable[..., Adapter]
Requests = Callable[[str], list[Exchange]]
FOLDERS_NOUNS = ["automations", "jobs", "queues", "assets", "artifacts", "robots", "logs", "schedules"]
ALL = [
    "server", "log-in", "folder", "licence",
    "automations", "jobs", "queues", "assets", "artifacts", "robots", "machines", "logs", "schedules", "webhooks",
]  # fmt: skip
VERSION, LICENCE = "GET */api/Status/Version", "GET *GetLicense"


def auth(**changes: str) -> dict[str, str]:
    """The sandbox's credentials, some of them changed."""
    return {"type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET} | changes


def answering(match: str, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Fault:
    """An answer in the place of the sandbox's own."""
    json_headers = {"Content-Type": "application/json", **(headers or {})}
    return Fault(FaultKind.STATUS, match=match, status=status, headers=json_headers, body=json.dumps(body), times=9)


async def found(adapter: Adapter) -> dict[str, tuple[bool, str]]:
    """The findings by subject."""
    return {one.subject: (one.ok, one.message) for one in await adapter.check()}


async def test_a_good_connection_is_well_in_all(erp: Adapter, requests: Requests) -> None:
    findings = await found(erp)

    assert list(findings) == ALL
    assert all(ok for ok, _ in findings.values())
    assert findings["server"][1] == "answers, version 25.10.0, API 20"
    assert findings["folder"][1] == "Shared (id 101)"
    assert findings["licence"][1] == "it holds until 2040-01-01"
    for limited in ("GET */odata/Jobs[?]*", "GET */odata/Jobs", "GET */odata/QueueItems*"):
        assert requests(limited) == [], "lists that the cloud counts are not asked for"


async def test_the_log_in_says_who_which_way_and_till_when(open_erp: Opens, clock: ManualClock) -> None:
    ok, message = (await found(open_erp(auth=auth(scope="OR.Jobs OR.Queues"))))["log-in"]

    assert ok
    assert message.startswith(f"as client id {CLIENT_ID}, by client_credentials; scopes OR.Jobs OR.Queues; until ")
    assert message.endswith(" UTC")
    assert str(clock.now().year) in message


async def test_a_personal_token_is_good_and_nobody_knows_till_when(open_erp: Opens) -> None:
    findings = await found(open_erp(auth={"type": "pat", "token": PERSONAL_ACCESS_TOKEN}))

    assert findings["log-in"] == (
        True,
        "as personal access token, by pat; until when is not known here: the portal shows it",
    )


async def test_a_personal_token_that_is_not_good_is_the_log_ins_fault(open_erp: Opens) -> None:
    findings = await found(open_erp(auth={"type": "pat", "token": "rt_withdrawn-4711"}))

    assert [(name, ok) for name, (ok, _) in findings.items()] == [("server", True), ("log-in", False)]
    assert "make a new one in the portal" in findings["log-in"][1]
    assert "4711" not in findings["log-in"][1]


async def test_a_missing_scope_is_named_and_the_others_are_well(open_erp: Opens) -> None:
    findings = await found(open_erp(auth=auth(scope="OR.Execution.Read OR.Queues OR.Folders.Read")))

    well = {"server", "log-in", "folder", "licence", "automations", "queues"}
    assert {subject for subject, (ok, _) in findings.items() if ok} == well
    assert "(scope OR.Jobs or OR.Jobs.Read, and the folder's role)" in findings["jobs"][1]
    assert "(scope OR.Webhooks or OR.Webhooks.Read, and the tenant's role)" in findings["webhooks"][1]
    assert "OR.Settings or OR.Settings.Read; all else works without" in findings["licence"][1]


async def test_an_older_servers_401_for_a_missing_scope_is_no_refused_log_in(sandbox: Sandbox, erp: Adapter) -> None:
    told = {"errorMessage": "Scope(s) 'OR.Jobs' is(are) invalid. Expect to have 'OR.Settings'"}
    sandbox.faults.add(answering(LICENCE, told, status=401))

    findings = await found(erp)

    assert findings["licence"] == (
        True,
        "cannot be read without the scope OR.Settings or OR.Settings.Read; all else works without",
    )
    assert list(findings) == ALL


async def test_without_the_scope_for_folders_the_folder_is_not_blamed(open_erp: Opens) -> None:
    findings = await found(open_erp(auth=auth(scope="OR.Execution")))

    ok, message = findings["folder"]
    assert ok
    assert "without the scope OR.Folders or OR.Folders.Read" in message
    assert findings["automations"][0]


async def test_a_wrong_folder_is_one_finding_and_not_eight(open_erp: Opens) -> None:
    findings = await found(open_erp(folder="Nowhere"))

    ok, message = findings["folder"]
    assert not ok
    assert "check `folder` in the settings" in message
    assert list(findings) == ["server", "log-in", "folder", "licence", "machines", "webhooks"]


async def test_without_a_folder_the_nouns_that_need_one_are_named(open_erp: Opens) -> None:
    findings = await found(open_erp(folder=None))

    assert findings["folder"] == (
        False,
        f"none is set; set `folder` in the settings: {', '.join(FOLDERS_NOUNS)} need one",
    )
    assert not set(FOLDERS_NOUNS) & set(findings)
    assert findings["webhooks"] == (True, "may be read in this tenant")


async def test_a_folder_that_no_list_shows_is_tried_before_it_is_blamed(sandbox: Sandbox, erp: Adapter) -> None:
    sandbox.faults.add(answering("GET */odata/Folders*", {"value": []}))

    findings = await found(erp)

    assert findings["folder"] == (True, "'Shared' is there, though no list of folders has it")
    assert list(findings) == ALL


async def test_a_wrong_secret_ends_the_check_at_the_log_in(sandbox: Sandbox, open_erp: Opens) -> None:
    findings = await found(open_erp(auth=auth(client_secret="wrong-secret-4711")))

    assert list(findings) == ["server", "log-in"]
    assert not findings["log-in"][0]
    assert "auth.client_secret" in findings["log-in"][1]
    assert "wrong-secret-4711" not in findings["log-in"][1]
    assert len(sandbox.world.exchanges) == 2


async def test_a_dead_server_is_a_finding_and_no_exception(open_erp: Opens) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/acme/default/orchestrator_"
        findings = await found(open_erp(url=url))

    assert list(findings) == ["server"]
    assert "is it running and reachable" in findings["server"][1]


async def test_an_address_that_answers_with_a_web_page_ends_the_check(sandbox: Sandbox, open_erp: Opens) -> None:
    findings = await found(open_erp(url=sandbox.connections["uipath"]["url"].removesuffix("/orchestrator_") + "/x/y"))

    assert list(findings) == ["server"]
    assert "check the address in the settings" in findings["server"][1]


@pytest.mark.parametrize(("status", "told"), [(404, "its version is not told, API 20"), (403, "does not tell")])
async def test_a_server_that_does_not_tell_its_version_is_well(
    sandbox: Sandbox, erp: Adapter, status: int, told: str
) -> None:
    sandbox.faults.add(answering(VERSION, {}, status=status))

    ok, message = (await found(erp))["server"]
    assert ok
    assert told in message


@pytest.mark.parametrize(("api", "asked"), [("11.1", True), ("17.0", True), ("18.0", False), ("1.0, 20.0", False)])
async def test_alerts_are_asked_for_where_the_server_may_have_them(
    sandbox: Sandbox, erp: Adapter, requests: Requests, api: str, asked: bool
) -> None:
    sandbox.faults.add(answering(VERSION, {"version": "22.10"}, headers={"api-supported-versions": api}))
    sandbox.faults.add(answering("GET */odata/Alerts*", {"value": []}))

    assert ("alerts" in await found(erp)) == asked
    assert bool(requests("GET */odata/Alerts*")) == asked


async def test_a_server_whose_alerts_are_gone_has_no_finding_of_them(sandbox: Sandbox, erp: Adapter) -> None:
    sandbox.faults.add(answering(VERSION, {"version": "22.10"}))
    sandbox.faults.add(answering("GET */odata/Alerts*", {}, status=404))

    assert list(await found(erp)) == ALL


IN_DAYS = 86_400


@pytest.mark.parametrize(
    ("licence", "ok", "told"),
    [
        ({"ends": 31}, True, "it holds until"),
        ({"ends": 29}, False, "it ends on .*; renew it"),
        ({"ends": -1}, False, "it expired on .*; renew it"),
        ({"ends": -1, "grace": 5}, False, "robots work until"),
        ({"ends": 99, "IsExpired": True}, False, "it expired on"),
        ({"IsExpired": True}, False, "it expired; renew it"),
        ({"ends": 99, "IsRegistered": False}, False, "the tenant has none"),
        ({}, True, "until when is not told"),
        ({"ExpireDate": 0}, True, "until when is not told"),
        ({"ExpireDate": 10**17}, True, "until when is not told"),
        ({"ExpireDate": "soon"}, False, "ExpireDate"),
    ],
)
async def test_a_licence_that_ends_soon_is_told_in_time(
    sandbox: Sandbox, erp: Adapter, clock: ManualClock, licence: dict[str, Any], ok: bool, told: str
) -> None:
    now = int(clock.now().timestamp())
    for ours, theirs in (("ends", "ExpireDate"), ("grace", "GracePeriodEndDate")):
        if ours in licence:
            licence = licence | {theirs: now + licence[ours] * IN_DAYS}
    body = {name: value for name, value in licence.items() if name not in ("ends", "grace")}
    sandbox.faults.add(answering(LICENCE, body))

    finding = (await found(erp))["licence"]
    assert finding[0] == ok
    assert re.search(told, finding[1])


@pytest.mark.parametrize("kind", [FaultKind.HTML, FaultKind.CUT, FaultKind.STATUS])
@pytest.mark.parametrize(
    ("path", "subject"),
    [
        ("*/odata/Jobs(1)", "jobs"),
        ("*/odata/Folders*", "folder"),
        ("*GetLicense", "licence"),
        ("*/Assets[?]*", "assets"),
    ],
)
async def test_one_bad_answer_spoils_its_own_finding_only(
    sandbox: Sandbox, erp: Adapter, kind: FaultKind, path: str, subject: str
) -> None:
    sandbox.faults.add(Fault(kind, match=f"GET {path}", times=9))

    findings = await found(erp)

    assert [name for name, (ok, _) in findings.items() if not ok] == [subject]
    assert "scope" not in findings[subject][1]
