"""Standard tests of automations."""

from __future__ import annotations

from rpa_bridge.contract.automations import Package
from rpa_bridge.contract.features import Feature
from rpa_bridge.errors import ConflictError, InvalidError, NotFoundError

from .stage import Stage, listed
from .standard import requires

ODD_NAMES = ("O'Brien", 'say "no"', "100 %", "a/b", "a?b#c", "größer ☃", "..", "a&b=c", "x" * 300)
"""Names that nothing has, and that must not break out of a path or a filter."""


class AutomationTests:
    """Standard tests of what can be run."""

    @requires("automations.find")
    async def test_find_yields_the_automations(self, stage: Stage) -> None:
        found = await listed(stage.adapter.automations.find())
        assert stage.automation in [one.name for one in found]
        assert all(one.id and one.name for one in found)
        assert len({one.id for one in found}) == len(found)

    @requires("automations.get", "automations.find")
    async def test_get_gives_what_find_yields(self, stage: Stage) -> None:
        got = await stage.adapter.automations.get(stage.automation)
        assert got.name == stage.automation
        assert got.id in [one.id async for one in stage.adapter.automations.find()]

    @requires("automations.get")
    async def test_an_unknown_automation_is_not_found(self, stage: Stage) -> None:
        name = stage.new_name("automation")
        with stage.refused(NotFoundError) as caught:
            await stage.adapter.automations.get(name)
        assert name in str(caught.value), "the error must name what is not there"

    @requires("automations.get")
    async def test_an_oddly_named_automation_is_not_found(self, stage: Stage) -> None:
        for name in ODD_NAMES:
            with stage.refused(NotFoundError, InvalidError):
                await stage.adapter.automations.get(name)

    @requires("automations.get")
    async def test_an_automation_without_a_name_is_refused(self, stage: Stage) -> None:
        with stage.refused(InvalidError, NotFoundError, unsent=True):
            await stage.adapter.automations.get("")

    @requires(Feature.AUTOMATION_SCHEMA)
    async def test_the_schema_names_arguments(self, stage: Stage) -> None:
        schema = await stage.adapter.automations.schema(stage.automation)
        for one in (*schema.inputs, *schema.outputs):
            assert one.name
            assert one.type

    @requires(Feature.AUTOMATION_SCHEMA)
    async def test_an_unknown_automation_has_no_schema(self, stage: Stage) -> None:
        with stage.refused(NotFoundError):
            await stage.adapter.automations.schema(stage.new_name("automation"))

    @requires(Feature.AUTOMATION_PACKAGES)
    async def test_each_package_is_listed_once_with_its_version(self, stage: Stage) -> None:
        packages = await listed(stage.adapter.automations.packages())
        assert packages
        assert all(one.id and one.name and one.version for one in packages)
        assert len({one.name for one in packages}) == len(packages)

    @requires(Feature.AUTOMATION_OPEN_PACKAGE, Feature.AUTOMATION_PACKAGES)
    async def test_a_package_can_be_read(self, stage: Stage) -> None:
        package = (await listed(stage.adapter.automations.packages()))[0]
        async with stage.adapter.automations.open_package(package) as pieces:
            assert b"".join([piece async for piece in pieces])

    @requires(Feature.AUTOMATION_OPEN_PACKAGE)
    async def test_an_unknown_package_is_not_found_on_entry(self, stage: Stage) -> None:
        unknown = Package(id=stage.harness.missing_id, name=stage.new_name("package"), version="1.0.0")
        with stage.refused(NotFoundError):
            async with stage.adapter.automations.open_package(unknown):
                raise AssertionError("the block of a package that is not there was entered")

    @requires(Feature.AUTOMATION_UPLOAD_PACKAGE, Feature.AUTOMATION_OPEN_PACKAGE, Feature.AUTOMATION_PACKAGES)
    async def test_a_package_that_is_there_already_is_refused(self, stage: Stage) -> None:
        package = (await listed(stage.adapter.automations.packages()))[0]
        async with stage.adapter.automations.open_package(package) as pieces:
            content = b"".join([piece async for piece in pieces])
        with stage.refused(ConflictError):
            await stage.adapter.automations.upload_package(content)

    @requires(Feature.AUTOMATION_UPLOAD_PACKAGE)
    async def test_what_is_no_package_is_refused(self, stage: Stage) -> None:
        with stage.refused(InvalidError):
            await stage.adapter.automations.upload_package(b"this is no package")
