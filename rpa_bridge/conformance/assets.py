"""Standard tests of assets."""

from __future__ import annotations

from rpa_bridge.contract.assets import AssetType, AssetValue
from rpa_bridge.contract.features import Feature
from rpa_bridge.errors import ConflictError, InvalidError, NotFoundError

from .automations import ODD_NAMES
from .stage import Stage, listed
from .standard import requires
from .values import TEXTS

VALUES: tuple[tuple[AssetValue, AssetType], ...] = (
    ("text", AssetType.TEXT),
    ("007", AssetType.TEXT),
    ("true", AssetType.TEXT),
    (7, AssetType.INTEGER),
    (-1, AssetType.INTEGER),
    (True, AssetType.BOOLEAN),
    (False, AssetType.BOOLEAN),
)


class AssetTests:
    """Standard tests of shared settings."""

    @requires("assets.get")
    async def test_an_unknown_asset_is_not_found(self, stage: Stage) -> None:
        name = stage.new_name("asset")
        with stage.refused(NotFoundError) as caught:
            await stage.adapter.assets.get(name)
        assert name in str(caught.value), "the error must name what is not there"

    @requires("assets.get")
    async def test_an_oddly_named_asset_is_not_found(self, stage: Stage) -> None:
        for name in ODD_NAMES:
            with stage.refused(NotFoundError, InvalidError):
                await stage.adapter.assets.get(name)

    @requires("assets.find", "assets.get")
    async def test_find_yields_what_get_gives(self, stage: Stage) -> None:
        for one in await listed(stage.adapter.assets.find()):
            assert await stage.adapter.assets.get(one.name) == one

    @requires(Feature.ASSET_PUT)
    async def test_each_kind_of_value_is_kept(self, stage: Stage) -> None:
        for value, kind in VALUES:
            name = stage.new_name("asset")
            put = await stage.adapter.assets.put(name, value)
            got = await stage.adapter.assets.get(name)
            assert (got.id, got.name, got.type, got.value) == (put.id, name, kind, value)
            assert type(got.value) is type(value)

    @requires(Feature.ASSET_PUT)
    async def test_texts_of_assets_survive(self, stage: Stage) -> None:
        for text in TEXTS.values():
            name = stage.new_name("asset")
            await stage.adapter.assets.put(name, text)
            assert (await stage.adapter.assets.get(name)).value == text

    @requires(Feature.ASSET_PUT)
    async def test_a_new_asset_is_found(self, stage: Stage) -> None:
        made = await stage.adapter.assets.put(stage.new_name("asset"), "value", description="größer ☃")
        assert made.description == "größer ☃"
        assert made in await listed(stage.adapter.assets.find())

    @requires(Feature.ASSET_PUT)
    async def test_a_second_put_changes_the_asset(self, stage: Stage) -> None:
        name = stage.new_name("asset")
        first = await stage.adapter.assets.put(name, "old")
        second = await stage.adapter.assets.put(name, "new")
        assert second.id == first.id
        assert (await stage.adapter.assets.get(name)).value == "new"

    @requires(Feature.ASSET_PUT)
    async def test_an_asset_keeps_its_type(self, stage: Stage) -> None:
        name = stage.new_name("asset")
        await stage.adapter.assets.put(name, "text")
        for other in (7, True):
            with stage.refused(ConflictError):
                await stage.adapter.assets.put(name, other)
        assert (await stage.adapter.assets.get(name)).value == "text"

    @requires(Feature.ASSET_PUT)
    async def test_an_empty_or_overlong_name_of_an_asset_is_refused_before_sending(self, stage: Stage) -> None:
        overlong = ["a" * 2000] if stage.limits.name_length else []
        for name in ("", *overlong):
            with stage.refused(InvalidError, unsent=True):
                await stage.adapter.assets.put(name, "value")

    @requires(Feature.ASSET_DELETE, Feature.ASSET_PUT)
    async def test_a_deleted_asset_is_gone(self, stage: Stage) -> None:
        name = stage.new_name("asset")
        await stage.adapter.assets.put(name, "value")
        await stage.adapter.assets.delete(name)
        with stage.refused(NotFoundError):
            await stage.adapter.assets.get(name)

    @requires(Feature.ASSET_DELETE)
    async def test_an_unknown_asset_cannot_be_deleted(self, stage: Stage) -> None:
        with stage.refused(NotFoundError):
            await stage.adapter.assets.delete(stage.new_name("asset"))
