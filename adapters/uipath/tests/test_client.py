"""What all nouns send through: the folder's header, and pages by growing ids."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from rpa_bridge import Adapter, NotFoundError, ProtocolError
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.transport.base import Effect, Request
from rpa_bridge_uipath.client import PAGE, folder_headers
from rpa_bridge_uipath.settings import UiPathSettings
from rpa_bridge_uipath.wire.queues import QueueItemDto

BASE = {
    "url": "https://cloud.uipath.com/acme/production/orchestrator_",
    "auth": {"type": "client_credentials", "client_id": "me", "client_secret": "my-secret"},
}
START = "/odata/Jobs/UiPath.Server.Configuration.OData.StartJobs"


@pytest.mark.parametrize(
    ("folder", "header"),
    [
        (101, ("X-UIPATH-OrganizationUnitId", "101")),
        ("101", ("X-UIPATH-OrganizationUnitId", "101")),
        ("12345678-1234-5678-1234-567812345678", ("X-UIPATH-FolderKey", "12345678-1234-5678-1234-567812345678")),
        ("Finance/Invoices", ("X-UIPATH-FolderPath", "Finance/Invoices")),
        (" Finance ", ("X-UIPATH-FolderPath", "Finance")),
        ("Büro/Ä", ("X-UIPATH-FolderPath-Encoded", base64.b64encode("Büro/Ä".encode("utf-16-le")).decode())),
        (None, None),
        ("", None),
    ],
)
@pytest.mark.parametrize("tenant", [None, "default"])
def test_folder_and_tenant_have_one_header_each(
    folder: Any, header: tuple[str, str] | None, tenant: str | None
) -> None:
    headers = folder_headers(UiPathSettings.model_validate(BASE | {"folder": folder, "tenant": tenant}))
    expected = dict([header]) if header else {}
    assert headers == expected | ({"X-UIPATH-TenantName": tenant} if tenant else {})


@pytest.mark.parametrize("name", ["Finance", "Büro"])
@pytest.mark.parametrize("way", ["Id", "Key", "FullyQualifiedName"])
async def test_every_way_to_name_a_folder_reaches_it(
    sandbox: Sandbox, open_erp: Callable[..., Adapter], name: str, way: str
) -> None:
    face: Any = sandbox.faces["uipath"]
    folder = next(row for row in face._state.folders.values() if row["DisplayName"] == name)

    automation = await open_erp(folder=folder[way]).automations.get("Invoices")

    assert automation.description == f"Invoices of {name}"


async def test_a_folder_that_does_not_exist_names_the_setting(open_erp: Callable[..., Adapter]) -> None:
    erp = open_erp(folder="Nowhere")
    for call in (erp.jobs.get("40001"), erp.queues.get("Invoices"), erp.jobs.start("Invoices")):
        with pytest.raises(NotFoundError, match="check `folder` in the settings") as caught:
            await call
        assert caught.value.code == "1100"


@pytest.fixture
async def many_jobs(erp: Adapter) -> int:
    """More than two pages of jobs, made in one request."""
    count = 2 * PAGE + 5
    releases = [one async for one in erp.automations.find()]
    info = {"ReleaseKey": releases[0].id, "Strategy": "ModernJobsCount", "JobsCount": count}
    request = Request(
        "POST",
        START,
        effect=Effect.BLIND,
        operation="raw",
        json={"startInfo": info},
        headers={"X-UIPATH-FolderPath": "Shared"},
    )
    await erp.raw.send(request)
    return count


async def test_jobs_come_newest_first_and_each_once_over_all_pages(
    erp: Adapter, many_jobs: int, requests: Callable[[str], list[Exchange]]
) -> None:
    ids = [int(job.id) async for job in erp.jobs.find(automation="Invoices")]

    assert len(ids) == many_jobs
    assert ids == sorted(set(ids), reverse=True)
    pages = [unquote(one.path) for one in requests("GET */odata/Jobs[?]*")]
    assert len(pages) == 3
    assert f"(ReleaseName eq 'Invoices') and Id lt {ids[PAGE - 1]}" in pages[1]
    assert all("$skip" not in page and f"$top={PAGE}" in page for page in pages)


async def test_a_job_that_starts_between_two_pages_moves_nothing(erp: Adapter, many_jobs: int) -> None:
    ids: list[str] = []
    async for job in erp.jobs.find():
        if len(ids) == PAGE:
            await erp.jobs.start("Letters")
        ids.append(job.id)

    assert len(set(ids)) == len(ids) == many_jobs


async def test_pages_are_fetched_as_one_iterates(
    erp: Adapter, many_jobs: int, requests: Callable[[str], list[Exchange]]
) -> None:
    async for _ in erp.jobs.find():
        break

    assert len(requests("GET */odata/Jobs[?]*")) == 1


def rows(first: int, last: int, step: int = 1) -> list[dict[str, Any]]:
    """Items with these ids."""
    return [{"Id": number, "Status": "New"} for number in range(first, last, step)]


async def ids_of(script: Any, **how: Any) -> list[int]:
    """What the client reads from the answers on order."""
    found = script.client.all_rows(QueueItemDto, "QueueItems", operation="queues.items", **how)
    return [row.Id async for row in found]


async def test_a_full_page_is_followed_by_the_rest(script: Any) -> None:
    script.page(*rows(1, PAGE + 1))
    script.page()

    assert await ids_of(script) == list(range(1, PAGE + 1))
    assert script.requests[0].params == {"$orderby": "Id", "$top": "100"}
    assert script.requests[1].params["$filter"] == f"Id gt {PAGE}"


async def test_a_condition_with_an_or_stays_whole_beside_the_bound(script: Any) -> None:
    script.page(*rows(1, PAGE + 1))
    script.page()

    await ids_of(script, condition="Id eq 1 or Id eq 2")
    assert script.requests[0].params["$filter"] == "Id eq 1 or Id eq 2"
    assert script.requests[1].params["$filter"] == f"(Id eq 1 or Id eq 2) and Id gt {PAGE}"


async def test_a_server_that_gives_less_than_asked_for_is_read_to_its_end(script: Any) -> None:
    script.page(*rows(1, 51), **{"@odata.nextLink": "https://elsewhere.example.com/odata/QueueItems?$skip=50"})
    script.page(*rows(51, 60))

    assert await ids_of(script) == list(range(1, 60))
    assert script.requests[1].path == "/odata/QueueItems", "the platform's own link is not followed"
    assert script.requests[1].params["$filter"] == "Id gt 50"


@pytest.mark.parametrize(
    ("pages", "newest_first"),
    [
        ([rows(1, 5) + rows(3, 4)], False),
        ([rows(5, 0, -1)], False),
        ([rows(1, 5)], True),
        ([rows(1, PAGE + 1), rows(1, PAGE + 1)], False),
        ([rows(2 * PAGE, PAGE, -1), rows(2 * PAGE, PAGE, -1)], True),
    ],
)
async def test_rows_out_of_order_are_a_protocol_error(
    script: Any, pages: list[list[dict[str, Any]]], newest_first: bool
) -> None:
    for page in pages:
        script.page(*page)

    with pytest.raises(ProtocolError, match=re.escape("queues.items: the platform's list is out of order")):
        await ids_of(script, newest_first=newest_first)


@pytest.mark.parametrize("body", [None, [], {}, {"value": None}, {"value": {}}, {"value": [1]}, {"value": [{"Id": 1}]}])
async def test_what_is_no_list_is_a_protocol_error(script: Any, body: Any) -> None:
    script.answer(body)

    with pytest.raises(ProtocolError, match=r"queues\.items"):
        await ids_of(script)


async def test_an_empty_body_is_nothing_and_where_it_must_not_be_a_protocol_error(script: Any) -> None:
    for status in (200, 204, 204):
        script.answer(status=status)
    call = script.client.call

    assert await call("POST", "/x", effect=Effect.SET, operation="x") is None
    assert await call("POST", "/x", effect=Effect.SET, operation="x") is None
    assert await call("POST", "/x", effect=Effect.BLIND, operation="x", may_be_empty=False) is None
    script.answer(status=200)
    with pytest.raises(ProtocolError, match="not JSON"):
        await call("POST", "/x", effect=Effect.BLIND, operation="x", may_be_empty=False)
