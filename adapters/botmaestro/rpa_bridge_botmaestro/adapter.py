"""BotCity BotMaestro as one connection: what is put together, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Self

from rpa_bridge.contract.adapter import Adapter, AdapterContext, AdapterInfo, Capabilities, Finding
from rpa_bridge.contract.features import Feature, FilePlace, Limits
from rpa_bridge.transport.effects import Effects
from rpa_bridge.transport.exclusive import Exclusive
from rpa_bridge.transport.options import HttpOptions
from rpa_bridge.transport.stack import Wiring

from .alerts import BotMaestroAlerts
from .artifacts import BotMaestroArtifacts
from .auth import ORGANIZATION, Tokens, connected
from .automations import BotMaestroAutomations
from .check import check
from .client import PAGE, Client, ServerVersion
from .credentials import BotMaestroCredentials
from .errors import explain
from .incidents import BotMaestroIncidents
from .jobs import BotMaestroJobs
from .logs import BotMaestroLogs
from .mapping.queues import WIRE_TYPES
from .messages import BotMaestroMessages
from .queues import BotMaestroQueues
from .robots import BotMaestroRobots
from .schedules import BotMaestroSchedules
from .settings import BotMaestroSettings, RunnerSettings

LIMITS = Limits(
    reference_length=128,
    flat_values=True,
    finds_starts_by_key=True,
    reads_secrets=True,
    item_times=False,
    field_types=frozenset(WIRE_TYPES),
    descriptions=frozenset({"queues"}),
    file_place=FilePlace.JOB,
    page_size=PAGE,
)
"""No size is published. docs: botmaestro.md 1"""


class BotMaestroAdapter(Adapter):
    """One workspace of a BotMaestro."""

    info = AdapterInfo(name="botmaestro", title="BotCity BotMaestro", limits=LIMITS)
    settings_model = BotMaestroSettings

    def __init__(
        self,
        settings: BotMaestroSettings | RunnerSettings,
        context: AdapterContext,
        tokens: Tokens,
        client: Client,
    ) -> None:
        async def organization() -> str:
            return (await tokens.get()).details.get(ORGANIZATION, "")

        jobs = BotMaestroJobs(client, context.clock, LIMITS, key_days=settings.key_days)
        queues = BotMaestroQueues(client, context.clock, LIMITS)
        super().__init__(
            context,
            BotMaestroAutomations(client, context.clock),
            jobs,
            queues,
            BotMaestroCredentials(client, context.clock),
            BotMaestroArtifacts(client, context.clock),
            BotMaestroRobots(client, context.clock),
            BotMaestroLogs(client, context.clock, organization),
            BotMaestroAlerts(client, context.clock),
            BotMaestroIncidents(client, context.clock),
            BotMaestroMessages(client, context.clock),
            BotMaestroSchedules(client, context.clock),
            raw=client.transport,
            login=tokens,
            identity=settings.identity,
            place=settings.place,
            settle_window=settings.settle_window,
            look_ups={
                "jobs.start": jobs.begun,
                "queues.add": queues.landed,
                "queues.add_many": queues.landed,
                "queues.complete": queues.reported,
                "queues.fail": queues.reported,
            },
            current_job=settings.task if isinstance(settings, RunnerSettings) else None,
        )
        self._settings, self._tokens, self._client = settings, tokens, client

    @classmethod
    def open(cls, settings: BotMaestroSettings | RunnerSettings, context: AdapterContext) -> Self:
        wiring = Wiring(
            connection=context.connection,
            base_url=f"{settings.server}/api/v2",
            options=settings.http,
            explain=explain,
            clock=context.clock,
            random=context.random,
            rate=settings.rate,
            cache_dir=context.cache_dir,
            token_store=context.token_store,
        )
        tokens, transport = connected(settings, wiring)
        client = Client(
            transport=transport,
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
            version=ServerVersion(transport),
        )
        return cls(settings, context, tokens, client)

    async def check(self) -> list[Finding]:
        return await check(self._client, self._tokens, self._settings)

    @classmethod
    def from_runner_args(cls, arguments: Sequence[str], http: HttpOptions) -> RunnerSettings | None:
        """Settings for `server task_id token organization`, as BotCity's Runner starts a bot. docs: botmaestro.md 1"""
        return RunnerSettings.read(arguments, http)

    @property
    def capabilities(self) -> Capabilities:
        """What this connection can do: once the server's version is known, without what it is too old for.

        Before that nothing is left out; a verb that needs a newer server then asks, and refuses by itself.
        """
        known = super().capabilities
        features = frozenset(one for one in known.features if self._client.version.known_to_lack(one) is None)
        limits = replace(
            known.limits,
            reads_secrets=Feature.CREDENTIAL_REVEAL in features,
            calls_per_second=self._settings.http.rate or self._settings.rate,
        )
        return Capabilities(features, limits)
