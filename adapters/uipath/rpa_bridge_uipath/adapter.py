"""UiPath Orchestrator as one connection: what is put together, and nothing else."""

from __future__ import annotations

from typing import Self

from rpa_bridge.auth.tokens import TokenCache
from rpa_bridge.contract.adapter import Adapter, AdapterContext, AdapterInfo, Finding
from rpa_bridge.contract.features import Limits
from rpa_bridge.transport.exclusive import Exclusive
from rpa_bridge.transport.stack import Wiring, connect

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
            login=tokens,
            identity=f"client id {settings.auth.client_id}",
        )
        self._tokens, self._client = tokens, client

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
            cache_dir=context.cache_dir,
        )
        tokens, transport = connect(
            wiring, lambda login: UiPathLogin(settings, login, context.clock), token_key(settings), sign
        )
        client = Client(
            transport=transport,
            headers=folder_headers(settings),
            clock=context.clock,
            exclusive=Exclusive(context.cache_dir, context.clock, context.random),
            new_id=context.new_id,
            settle_window=settings.settle_window,
        )
        return cls(settings, context, tokens, client)

    async def check(self) -> list[Finding]:
        return await check(self._client, self._tokens)
