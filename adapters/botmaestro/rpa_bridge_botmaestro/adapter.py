"""BotCity BotMaestro as one connection: what is put together, and nothing else."""

from __future__ import annotations

from typing import Self

from rpa_bridge.auth.tokens import TokenCache
from rpa_bridge.contract.adapter import Adapter, AdapterContext, AdapterInfo, Finding
from rpa_bridge.contract.features import Limits
from rpa_bridge.transport.exclusive import Exclusive
from rpa_bridge.transport.stack import Wiring, connect

from .auth import BotMaestroLogin, sign, token_key
from .automations import BotMaestroAutomations
from .check import check
from .client import Client
from .errors import explain
from .jobs import BotMaestroJobs
from .queues import BotMaestroQueues
from .settings import BotMaestroSettings

LIMITS = Limits(reference_length=128, flat_values=True, finds_starts_by_key=True)
"""No size is published. docs: botmaestro.md 1"""


class BotMaestroAdapter(Adapter):
    """One workspace of a BotMaestro."""

    info = AdapterInfo(name="botmaestro", title="BotCity BotMaestro", limits=LIMITS)
    settings_model = BotMaestroSettings

    def __init__(
        self, settings: BotMaestroSettings, context: AdapterContext, tokens: TokenCache, client: Client
    ) -> None:
        super().__init__(
            context,
            BotMaestroAutomations(client, context.clock),
            BotMaestroJobs(client, context.clock, LIMITS, key_days=settings.key_days),
            BotMaestroQueues(client, context.clock, LIMITS),
            raw=client.transport,
            login=tokens,
            identity=f"login {settings.login}",
        )
        self._tokens, self._client = tokens, client

    @classmethod
    def open(cls, settings: BotMaestroSettings, context: AdapterContext) -> Self:
        wiring = Wiring(
            connection=context.connection,
            base_url=f"{settings.server}/api/v2",
            options=settings.http,
            explain=explain,
            clock=context.clock,
            random=context.random,
            rate=settings.rate,
            cache_dir=context.cache_dir,
        )
        tokens, transport = connect(
            wiring, lambda login: BotMaestroLogin(settings, login, context.clock), token_key(settings), sign
        )
        client = Client(
            transport=transport,
            clock=context.clock,
            exclusive=Exclusive(context.cache_dir, context.clock, context.random),
            new_id=context.new_id,
            settle_window=settings.settle_window,
        )
        return cls(settings, context, tokens, client)

    async def check(self) -> list[Finding]:
        return await check(self._client, self._tokens)
