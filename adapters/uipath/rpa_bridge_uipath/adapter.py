"""UiPath Orchestrator as one connection: what is put together, and nothing else."""

from __future__ import annotations

from typing import Self

from rpa_bridge.auth.stores import open_store
from rpa_bridge.auth.tokens import TokenCache
from rpa_bridge.contract.adapter import Adapter, AdapterContext, AdapterInfo, Finding, LoginStatus
from rpa_bridge.contract.features import Limits
from rpa_bridge.transport import stack
from rpa_bridge.transport.exclusive import Exclusive
from rpa_bridge.transport.stack import Wiring

from .auth import UiPathLogin, sign, token_key
from .automations import UiPathAutomations
from .check import check
from .client import Client, folder_headers
from .errors import explain
from .jobs import UiPathJobs
from .queues import UiPathQueues
from .settings import UiPathSettings

LIMITS = Limits(  # docs: uipath.md 3.8, 3.10 and 6 "Sizes"
    name_length=50,
    reference_length=128,
    item_bytes=500 * 1024,
    input_chars=10_000,
    flat_values=True,
    unique_references=True,
    finds_starts_by_key=True,
)


class UiPathAdapter(Adapter):
    """One folder of one tenant of an Orchestrator."""

    info = AdapterInfo(name="uipath", title="UiPath Orchestrator", limits=LIMITS)
    settings_model = UiPathSettings

    def __init__(self, settings: UiPathSettings, context: AdapterContext, tokens: TokenCache, client: Client) -> None:
        automations = UiPathAutomations(client, context.clock)
        super().__init__(
            context,
            automations,
            UiPathJobs(client, context.clock, automations, LIMITS),
            UiPathQueues(client, context.clock, LIMITS),
            raw=client.transport,
        )
        self._settings, self._tokens, self._client = settings, tokens, client

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
        )
        exchange = stack.exchange(wiring)
        tokens = TokenCache(
            UiPathLogin(settings, stack.login(exchange, wiring), context.clock),
            token_key(settings),
            context.clock,
            open_store(context.cache_dir, context.clock),
            context.random,
        )
        client = Client(
            transport=stack.signed(exchange, wiring, tokens, sign),
            headers=folder_headers(settings),
            clock=context.clock,
            exclusive=Exclusive(context.cache_dir, context.clock, context.random),
            new_id=context.new_id,
            settle_window=settings.settle_window,
        )
        return cls(settings, context, tokens, client)

    async def check(self) -> list[Finding]:
        return await check(self._client, self._tokens)

    async def login_status(self) -> LoginStatus | None:
        status = await self._tokens.status()
        return LoginStatus(
            identity=f"client id {self._settings.auth.client_id}",
            state=status.state,
            scopes=status.scopes,
            obtained_at=status.obtained_at,
            expires_at=status.expires_at,
            stored=status.stored,
        )

    async def forget_login(self) -> None:
        await self._tokens.forget()
