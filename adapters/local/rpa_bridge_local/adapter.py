"""The local platform as one connection: what is put together, and nothing else."""

from __future__ import annotations

from typing import Self

from rpa_bridge.contract.adapter import Adapter, AdapterContext, AdapterInfo, Finding

from .alerts import LocalAlerts
from .artifacts import LocalArtifacts
from .assets import LocalAssets
from .automations import LocalAutomations
from .check import check
from .credentials import LocalCredentials
from .database import Database
from .folders import LocalFolders
from .incidents import LocalIncidents
from .jobs import LocalJobs
from .logs import LocalLogs
from .messages import LocalMessages
from .queues import LocalQueues
from .robots import LocalRobots
from .schedules import LocalSchedules
from .settings import LocalSettings
from .wire import LIMITS


class LocalAdapter(Adapter):
    """An offline platform: one SQLite file, and commands as automations."""

    info = AdapterInfo(name="local", title="Local (one file, no server)", limits=LIMITS)
    settings_model = LocalSettings

    def __init__(self, settings: LocalSettings, context: AdapterContext) -> None:
        name, clock = self.info.name, context.clock
        database = Database(settings.path)
        jobs = LocalJobs(name, clock, database, settings.automations)
        artifacts = LocalArtifacts(name, clock, database)
        super().__init__(
            context,
            LocalAutomations(name, clock, settings.automations),
            jobs,
            LocalQueues(name, clock, database, settings.lapse_after),
            LocalAssets(name, clock, database),
            LocalCredentials(name, clock, database),
            artifacts,
            LocalRobots(name, clock, database),
            LocalLogs(name, clock, database),
            LocalAlerts(name, clock, database),
            LocalIncidents(name, clock, database, artifacts),
            LocalMessages(name, clock, database),
            LocalFolders(name, clock),
            LocalSchedules(name, clock, settings.schedules),
            place=f"memory {context.new_id()}" if database.in_memory else settings.path,
        )
        self._settings, self._database, self._jobs = settings, database, jobs

    @classmethod
    def open(cls, settings: LocalSettings, context: AdapterContext) -> Self:
        return cls(settings, context)

    async def check(self) -> list[Finding]:
        return await check(self._database, self._settings.automations)

    async def aclose(self) -> None:
        await self._jobs.aclose()
        await self._database.aclose()
        await super().aclose()
