"""UiPath Orchestrator as one connection: what is put together, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Self

from rpa_bridge.contract.adapter import Adapter, AdapterContext, AdapterInfo, Capabilities, Finding
from rpa_bridge.contract.features import FilePlace, Limits
from rpa_bridge.transport.effects import Effects
from rpa_bridge.transport.exclusive import Exclusive
from rpa_bridge.transport.stack import Wiring

from .alerts import UiPathAlerts
from .artifacts import UiPathArtifacts
from .assets import AssetRows, UiPathAssets
from .auth.ways import Connected, connected
from .automations import UiPathAutomations
from .check import check
from .client import PAGE, Client, folder_headers
from .credentials import UiPathCredentials
from .errors import explain
from .folders import UiPathFolders
from .jobs import UiPathJobs
from .logs import UiPathLogs
from .mapping.assets import CREDENTIAL_FIELDS
from .queues import UiPathQueues
from .robots import UiPathRobots
from .schedules import UiPathSchedules
from .settings import UiPathSettings
from .webhooks import UiPathWebhooks

LIMITS = Limits(  # docs: uipath.md 3.8, 3.10 and 6 "Sizes"
    name_length=50,
    reference_length=128,
    item_bytes=500 * 1024,
    batch_size=100,
    flat_values=True,
    unique_references=True,
    finds_starts_by_key=True,
    credential_fields=tuple(frozenset(fields) for fields in CREDENTIAL_FIELDS.values()),
    file_place=FilePlace.CONTAINER_OR_JOB,
    page_size=PAGE,
)


class UiPathAdapter(Adapter):
    """One folder of one tenant of an Orchestrator."""

    info = AdapterInfo(name="uipath", title="UiPath Orchestrator", limits=LIMITS)
    settings_model = UiPathSettings

    def __init__(self, settings: UiPathSettings, context: AdapterContext, login: Connected, client: Client) -> None:
        automations = UiPathAutomations(client, context.clock)
        jobs = UiPathJobs(client, context.clock, automations, LIMITS)
        queues = UiPathQueues(client, context.clock, LIMITS)
        artifacts = UiPathArtifacts(client, context.clock, jobs.key)
        asset_rows = AssetRows(client)
        super().__init__(
            context,
            automations,
            jobs,
            queues,
            UiPathAssets(context.clock, asset_rows),
            UiPathCredentials(client, context.clock, asset_rows, settings.robot_key),
            artifacts,
            UiPathRobots(client, context.clock),
            UiPathLogs(client, context.clock, jobs),
            UiPathAlerts(client, context.clock, jobs),
            UiPathFolders(client, context.clock),
            UiPathSchedules(client, context.clock),
            UiPathWebhooks(client, context.clock),
            raw=client.transport,
            login=login.tokens,
            identity=settings.auth.identity,
            way=settings.auth.type,
            place=settings.place,
            settle_window=settings.settle_window,
            look_ups={
                "jobs.start": jobs.begun,
                "jobs.start_many": jobs.begun,
                "queues.add": queues.added,
                "queues.add_many": queues.landed,
                "queues.retry": queues.tried_again,
                "artifacts.upload": artifacts.linked,
            },
        )
        self._connected, self._client, self._settings = login, client, settings

    @classmethod
    def open(cls, settings: UiPathSettings, context: AdapterContext) -> Self:
        wiring = Wiring(
            connection=context.connection,
            base_url=settings.url,
            options=settings.http,
            explain=explain,
            clock=context.clock,
            random=context.random,
            rate=settings.rate,
            classes=settings.list_rates,
            cache_dir=context.cache_dir,
            token_store=context.token_store,
        )
        login = connected(settings, wiring)
        client = Client(
            transport=login.transport,
            headers=folder_headers(settings),
            clock=context.clock,
            exclusive=Exclusive(context.cache_dir, context.clock, context.random),
            new_id=context.new_id,
            effects=Effects(
                connection=context.connection,
                place=settings.place,
                clock=context.clock,
                new_id=context.new_id,
                outbox=context.outbox,
                settle_window=settings.settle_window,
                longest_attempt=settings.http.effect_timeout,
            ),
            own_storage=settings.own_storage,
        )
        return cls(settings, context, login, client)

    async def check(self) -> list[Finding]:
        return await check(self._client, self._connected.tokens, self.login_status, self.folders, self._settings)

    @property
    def capabilities(self) -> Capabilities:
        """What this connection can do: with a robot's key, credentials can be read back; only the cloud is paced."""
        known, settings = super().capabilities, self._settings
        limits = replace(
            known.limits,
            reads_secrets=settings.robot_key is not None,
            lists_per_minute=settings.lists_a_minute if settings.is_cloud else None,
            calls_per_second=settings.http.rate or settings.rate,
        )
        return replace(known, limits=limits)

    async def log_in(self, show: Callable[[str], None]) -> None:
        if self._connected.log_in is None:
            await super().log_in(show)
        else:
            await self._connected.log_in(show)
