"""Folders of new servers and of old ones, over real HTTP."""

from __future__ import annotations

import pytest

from rpa_bridge import Adapter, NotFoundError
from rpa_bridge.sandbox.server import Sandbox


async def test_a_folder_is_had_by_path_id_and_key(erp: Adapter) -> None:
    folders = {one.path: one async for one in erp.folders.find()}
    nested = folders["Shared/Reports"]

    assert nested.parent == folders["Shared"].id
    for word in (nested.path, nested.id, str(nested.raw_data["Key"]), "shared/reports"):
        assert await erp.folders.get(word) == nested
    assert (await erp.folders.get("Büro")).name == "Büro"


@pytest.mark.parametrize("word", ["O'Brien", "99999", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "Shared/"])
async def test_what_names_no_folder_is_not_found(erp: Adapter, word: str) -> None:
    with pytest.raises(NotFoundError, match=r"rpa-bridge folders list"):
        await erp.folders.get(word)


async def test_on_an_older_server_organisation_units_are_folders(erp: Adapter, sandbox: Sandbox) -> None:
    sandbox.world.switches["uipath.classic"] = True

    found = [one async for one in erp.folders.find()]

    assert "Finance" in [one.path for one in found]
    assert await erp.folders.get("Finance") in found
    assert await erp.folders.get(found[0].id) == found[0]
