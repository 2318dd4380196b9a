"""The assets of UiPath's own SDK against the face, for a program and for a robot."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from uipath.platform.errors import EnrichedException
from uipath.platform.orchestrator.assets import UserAsset

from rpa_bridge.testing import SandboxThread


@pytest.fixture
async def assets(sdk: Any) -> AsyncIterator[Any]:
    service = sdk.assets
    yield service
    await service.aclose()


@pytest.fixture
async def robots_assets(
    served: SandboxThread, open_sdk: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Any]:
    """Those of the robot of the folder Shared, whose key stands in its environment."""
    keys = served.sandbox.dump()["faces"]["uipath"]["tables"]["robot keys"]
    monkeypatch.setenv("UIPATH_ROBOT_KEY", next(iter(keys.values()))["Key"])
    service = open_sdk().assets
    yield service
    await service.aclose()


async def test_it_lists_and_finds_assets(assets: Any) -> None:
    names = {one.name for one in assets.list(orderby="Name").items}
    assert {"Currency", "Retries", "SAP", "ApiKey"} <= names
    assert [one.int_value for one in (await assets.list_async(filter="Name eq 'Retries'")).items] == [3]
    assert assets.retrieve("Currency").string_value == "EUR"
    assert (await assets.retrieve_async("DryRun", folder_path="Büro")).bool_value is True


async def test_it_stumbles_over_an_asset_that_is_not_there(assets: Any) -> None:
    """A defect of the SDK: it takes the first row of an empty list, and does not escape the name."""
    with pytest.raises(IndexError):
        assets.retrieve("Nothing")
    with pytest.raises(EnrichedException, match="1000"):
        assets.retrieve("O'Brien")


async def test_it_does_not_ask_for_secrets_without_a_robots_key(assets: Any) -> None:
    for reveal in (assets.retrieve_credential, assets.retrieve_secret):
        with pytest.raises(ValueError, match="No robot key"):
            reveal("SAP")


async def test_it_reads_and_writes_as_a_robot(robots_assets: Any) -> None:
    """A defect of the SDK: it reads JSON where the success of `update` has no body."""
    assert robots_assets.retrieve_credential("SAP") == "sap-sandbox-password"
    assert await robots_assets.retrieve_secret_async("ApiKey") == "sandbox-api-key"
    assert robots_assets.retrieve("Inbox").string_value.startswith("/in/robot-")
    with pytest.raises(json.JSONDecodeError):
        robots_assets.update(UserAsset(name="Currency", value_type="Text", string_value="CHF"))
    assert robots_assets.retrieve("Currency").string_value == "CHF"
    with pytest.raises(EnrichedException, match="1302"):
        robots_assets.retrieve("Currency", folder_path="Finance")
