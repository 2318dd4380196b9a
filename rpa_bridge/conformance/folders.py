"""Standard tests of folders."""

from __future__ import annotations

from rpa_bridge.contract.features import Feature
from rpa_bridge.errors import NotFoundError

from .stage import Stage, listed
from .standard import requires


class FolderTests:
    """Standard tests of the rooms within a platform."""

    @requires(Feature.FOLDER_FIND)
    async def test_each_folder_has_a_path_of_its_own(self, stage: Stage) -> None:
        found = await listed(stage.adapter.folders.find())
        assert found, "the harness's platform has no folder"
        assert all(one.id and one.path.endswith(one.name) for one in found)
        assert len({one.path for one in found}) == len(found)

    @requires(Feature.FOLDER_GET, Feature.FOLDER_FIND)
    async def test_a_folder_is_had_by_path_and_by_id(self, stage: Stage) -> None:
        for folder in await listed(stage.adapter.folders.find()):
            assert (await stage.adapter.folders.get(folder.path)).id == folder.id
            assert (await stage.adapter.folders.get(folder.id)).path == folder.path

    @requires(Feature.FOLDER_GET)
    async def test_an_unknown_folder_is_not_found(self, stage: Stage) -> None:
        name = stage.new_name("folder")
        with stage.refused(NotFoundError) as caught:
            await stage.adapter.folders.get(name)
        assert name in str(caught.value), "the error must name what is not there"
