"""Webhooks: they belong to the whole tenant. docs: uipath.md 3.17 and 5.5"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

from pydantic import SecretStr

from rpa_bridge.clock import Clock
from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.webhooks import Webhook, WebhookService
from rpa_bridge.errors import ConfigError, ConflictError, NotFoundError, ProtocolError
from rpa_bridge.helpers.checks import check_name, refuse
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.transport.addresses import check_absolute
from rpa_bridge.transport.base import Effect

from . import odata
from .client import Client
from .mapping import webhooks as mapping
from .wire.webhooks import WebhookDto

LIMITS = Limits(name_length=128)
LONGEST_URL, LONGEST_SECRET, LONGEST_EVENT = 2000, 100, 50


class UiPathWebhooks(WebhookService):
    """Webhooks by name."""

    def __init__(self, client: Client, clock: Clock) -> None:
        super().__init__("uipath", clock)
        self._client = client.for_tenant

    async def find(self) -> AsyncIterator[Webhook]:
        operation = "webhooks.find"
        async for row in self._rows(operation):
            yield mapping.webhook(await self._with_events(row, operation))

    async def create(
        self, name: str, url: str, *, events: Sequence[str] = (), secret: SecretStr | None = None
    ) -> Webhook:
        operation = "webhooks.create"
        signed_by = None if secret is None else secret.get_secret_value()
        _check(operation, name, url, events, signed_by)
        if await self._named(name, operation) is not None:  # docs: not every server refuses a name twice
            raise _taken(operation, name)
        body = mapping.new(name, url, events, signed_by)
        wanted = {event.casefold() for event in events}

        async def send() -> WebhookDto:
            path = "/odata/Webhooks"
            answer = await self._client.call("POST", path, effect=Effect.FINDABLE, operation=operation, json=body)
            made = WebhookDto.of(answer, operation)
            if made.Url != url:
                raise ProtocolError(f"{operation}: the answer does not name our webhook", operation=operation)
            return made

        async def look_up() -> WebhookDto | None:
            found = await self._named(name, operation)
            if found is None:
                return None
            found = await self._with_events(found, operation)
            if found.Url != url or {event.casefold() for event in mapping.webhook(found).events} != wanted:
                raise _taken(operation, name)
            return found

        what = f"a webhook named {name!r}"
        return mapping.webhook(await self._client.effects.once(send, look_up, operation=operation, what=what))

    async def delete(self, name: str) -> None:
        operation = "webhooks.delete"
        path = odata.entity("Webhooks", (await self._webhook(name, operation)).Id)
        try:
            await self._client.call("DELETE", path, effect=Effect.SET, operation=operation)
        except NotFoundError as error:
            if not error.uncertain_before:  # a repeat after a lost answer finds it gone: that is what was asked for
                raise

    async def ping(self, name: str) -> None:
        """Asks for a test call; the platform's yes is no delivery. Raises NotFoundError."""
        operation = "webhooks.ping"
        row = await self._webhook(name, operation)
        path = f"{odata.entity('Webhooks', row.Id)}/{odata.ACTION}Ping"
        may_be = f"{row.Url} may be called; look there before you ask again"
        with self._client.effects.blindly(operation, may_be):
            await self._client.call("POST", path, effect=Effect.BLIND, operation=operation)

    def _rows(self, operation: str) -> AsyncIterator[WebhookDto]:
        return self._client.all_rows(WebhookDto, "Webhooks", operation=operation)

    async def _with_events(self, row: WebhookDto, operation: str) -> WebhookDto:
        """The webhook with its events, which a list may leave out: without them it would seem to have all."""
        if row.SubscribeToAllEvents or row.Events is not None:
            return row
        return await self._client.read(WebhookDto, odata.entity("Webhooks", row.Id), operation=operation)

    async def _webhook(self, name: str, operation: str) -> WebhookDto:
        check_name(operation, "webhook", name, LIMITS)
        found = await self._named(name, operation)
        if found is None:
            raise NotFoundError(
                f"{operation}: there is no webhook {name!r} in this tenant; look for it with webhooks.find",
                operation=operation,
            )
        return found

    async def _named(self, name: str, operation: str) -> WebhookDto | None:
        """The webhook of this name, whatever its case. They are few, and older servers cannot filter by name."""
        same = [row async for row in self._rows(operation) if mapping.webhook(row).name.casefold() == name.casefold()]
        if len(same) > 1:
            raise ConflictError(
                f"{operation}: webhooks {same[0].Id} and {same[1].Id} are both named {name!r}; "
                f"rename one in the portal",
                operation=operation,
            )
        return same[0] if same else None


def _check(operation: str, name: str, url: str, events: Sequence[str], secret: str | None) -> None:
    check_name(operation, "webhook", name, LIMITS)
    if not _may_be_called(url):
        raise refuse(operation, "url must be an address like https://host/path; http:// is only for this machine's own")
    if len(url) > LONGEST_URL:
        raise refuse(operation, f"url has {len(url)} characters; at most {LONGEST_URL} fit")
    if isinstance(events, str) or not all(0 < len(event) <= LONGEST_EVENT for event in events):
        raise refuse(operation, f"events are names such as job.completed, of at most {LONGEST_EVENT} characters each")
    if secret is None:
        return
    REDACTOR.add(secret)
    if not 0 < len(secret) <= LONGEST_SECRET:
        raise refuse(operation, f"the secret must have 1 to {LONGEST_SECRET} characters")


def _may_be_called(url: str) -> bool:
    with suppress(ConfigError):
        check_absolute(url, "url")
        return True
    return False


def _taken(operation: str, name: str) -> ConflictError:
    return ConflictError(
        f"{operation}: there is another webhook named {name!r}; choose another name, or delete that one",
        operation=operation,
    )
