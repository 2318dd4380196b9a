"""The verbs of automations."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from rpa_bridge.clock import Clock
from rpa_bridge.contract.automations import Automation, AutomationSchema, AutomationService, Package
from rpa_bridge.contract.features import Limits
from rpa_bridge.errors import NotFoundError
from rpa_bridge.helpers import paging
from rpa_bridge.helpers.checks import check_name
from rpa_bridge.transport.base import Effect, Request, opened
from rpa_bridge.transport.content import Content
from rpa_bridge_uipath import odata
from rpa_bridge_uipath.client import PAGE, Client
from rpa_bridge_uipath.mapping import automations as mapping
from rpa_bridge_uipath.wire.automations import ArgumentMetadata, ProcessDto, ReleaseDto

from .uploads import upload

NO_SUCH_ITEM = "1002"
"""docs: uipath.md 5.2"""
KEY_KEPT = 60.0
"""Seconds for which a release's key is remembered: another release may be given its name."""


class UiPathAutomations(AutomationService):
    """Releases by name, and the packages of the tenant's feed."""

    def __init__(self, client: Client, clock: Clock) -> None:
        super().__init__("uipath", clock)
        self._client, self._feed = client, client.for_tenant
        self._keys: dict[str, tuple[str, float]] = {}
        """By name, with the moment from which on it is asked for anew."""

    async def find(self) -> AsyncIterator[Automation]:
        async for release in self._client.all_rows(ReleaseDto, "Releases", operation="automations.find"):
            yield mapping.automation(release)

    async def get(self, name: str) -> Automation:
        return mapping.automation(await self._release(name, "automations.get"))

    async def schema(self, name: str) -> AutomationSchema:
        """What the release takes and gives; a default is the release's own."""
        operation = "automations.schema"
        release = await self._release(name, operation)
        told = release.Arguments
        if told is None and release.ProcessKey and release.ProcessVersion:
            key = mapping.package_key(release.ProcessKey, release.ProcessVersion)
            path = odata.function("Processes", "GetArguments", key=key)
            told = await self._feed.read(ArgumentMetadata, path, operation=operation)
        return mapping.schema(release, told or ArgumentMetadata(), operation)

    async def packages(self) -> AsyncIterator[Package]:
        """The newest version of each package in the tenant's feed; one that comes or goes meanwhile may be missed."""
        operation = "automations.packages"

        async def fetch(number: int) -> paging.Page[ProcessDto]:
            params = {"$orderby": "Id", "$top": str(PAGE)} | ({"$skip": str(number * PAGE)} if number else {})
            rows = await self._feed.rows(ProcessDto, "Processes", operation=operation, params=params)
            return paging.Page(rows, last=len(rows) < PAGE)

        told = set()
        async for row in paging.pages(fetch, operation=operation):
            package = mapping.package(row)
            if package.name not in told:  # a new one moves the others on to the next page
                told.add(package.name)
                yield package

    @asynccontextmanager
    async def open_package(self, package: Package) -> AsyncIterator[AsyncIterator[bytes]]:
        operation = "automations.open_package"
        key = mapping.package_key(package.name, package.version)
        path = odata.function("Processes", "DownloadPackage", key=key)
        request = Request("GET", path, effect=Effect.READ, operation=operation, headers=self._feed.headers)
        async with AsyncExitStack() as stack:
            try:
                pieces = await stack.enter_async_context(opened(self._feed.transport, request))
            except NotFoundError as error:
                if error.code != NO_SUCH_ITEM:  # a wrong address has another mend
                    raise
                status = error.status
            else:
                yield pieces
                return
        raise NotFoundError(
            f"{operation}: there is no package {package.name!r} in version {package.version!r}; "
            f"`rpa-bridge automations packages` shows what there is",
            status=status,
            operation=operation,
        )

    async def upload_package(self, content: AsyncIterable[bytes] | bytes, *, size: int | None = None) -> Package:
        """The package, in the tenant's feed.

        After a lost answer it is sent again where the content can be read again; a version that is there then is
        taken for ours. Raises OutcomeUnknownError where it cannot be read again.
        """
        operation = "automations.upload_package"
        return await upload(self._feed, Content.of(content, size, operation), self.clock, operation)

    async def release_key(self, name: str, operation: str) -> str:
        """The key that StartJobs takes, remembered for a minute. Raises NotFoundError."""
        now = self.clock.monotonic()
        key, until = self._keys.get(name, ("", now))
        if until <= now:
            key = (await self._release(name, operation)).Key
            self._keys[name] = key, now + KEY_KEPT
        return key

    def forget_key(self, name: str) -> None:
        """Forgets a remembered key: the release may have been made anew, or renamed."""
        self._keys.pop(name, None)

    async def _release(self, name: str, operation: str) -> ReleaseDto:
        check_name(operation, "automation", name, Limits())
        params = {"$filter": odata.where("Name", "eq", name), "$top": "2"}
        rows = await self._client.rows(ReleaseDto, "Releases", operation=operation, params=params)
        same = [row for row in rows if row.Name.casefold() == name.casefold()]
        if not same:
            raise NotFoundError(
                f"{operation}: there is no automation {name!r} in this folder; "
                f"`rpa-bridge automations list` shows what there is",
                operation=operation,
            )
        return same[0]
