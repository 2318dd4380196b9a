"""What holds every request of ours against UiPath's published definition: see `conftest.py` at the root."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import ClientSession

from rpa_bridge import Adapter
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.transport.base import Effect, Request

ACTION = "UiPath.Server.Configuration.OData."
START = f"/odata/Jobs/{ACTION}StartJobs"


@pytest.mark.parametrize(
    ("method", "path", "body", "problem"),
    [
        ("GET", "/odata/Jobs?$top=1", b"", None),
        ("GET", "/acme/default/orchestrator_/odata/Jobs(12)?$expand=Robot", b"", None),
        ("GET", "/odata/Process", b"", "is not among our facts"),
        ("POST", "/odata/Jobs", b"{}", "is not among our facts"),
        ("POST", START, b'{"startinfo": {}}', "which are not among our facts"),
        ("POST", START, b'{"startInfo": {"ReleaseKey": "k"}}', None),
    ],
)
def test_a_request_is_known_by_its_method_path_and_body(
    published: Any, method: str, path: str, body: bytes, problem: str | None
) -> None:
    found = published.problem(method, path, body, "")

    assert found is None if problem is None else problem in found


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", START, b'{"startInfo": {"ReleaseKey": "k", "Misspelt": 1}}'),
        ("POST", START, b'{"startInfo": {"ReleaseKey": 7}}'),
        ("POST", START, b'{"startInfo": {"Strategy": "Whatever"}}'),
        ("POST", f"/odata/Jobs/{ACTION}StopJobs", b'{"strategy": "SoftStop", "jobIds": ["a"]}'),
    ],
)
def test_the_definition_is_asked_where_it_lies_beside_the_checkout(
    published: Any, method: str, path: str, body: bytes
) -> None:
    if not published.has_definition:
        pytest.skip("the published definition does not lie beside this checkout")

    assert "InvalidRequestBody" in published.problem(method, path, body, "")


def test_the_facts_agree_with_the_definition(published: Any) -> None:
    if not published.has_definition:
        pytest.skip("the published definition does not lie beside this checkout")

    assert published.disagreements() == []


async def test_a_request_of_ours_that_nobody_published_makes_its_test_fail(erp: Adapter, problems: list[str]) -> None:
    await erp.raw.send(Request("GET", "/odata/Folders?$top=1", effect=Effect.READ, operation="x"))
    assert problems == []

    with pytest.raises(Exception, match=r"odata/Nothing"):
        await erp.raw.send(Request("GET", "/odata/Nothing", effect=Effect.READ, operation="test.nothing"))

    assert len(problems) == 1
    assert "GET /odata/Nothing is not among our facts" in problems.pop()


async def test_other_clients_may_send_what_they_like(sandbox: Sandbox, problems: list[str]) -> None:
    async with ClientSession() as client, client.get(f"{sandbox.origins['uipath']}/odata/Nothing") as response:
        assert response.status == 404

    assert problems == []
