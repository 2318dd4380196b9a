"""What the sandbox answers to each verb, recorded to be played back with one answer spoilt."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Self
from unittest.mock import patch

from rpa_bridge import Adapter, Bridge, ItemDraft, UnsupportedError
from rpa_bridge.contract.queues import Failure, FailureKind, QueueDraft
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.testing import ManualClock
from rpa_bridge.transport import stack
from rpa_bridge.transport.base import Request, Response
from rpa_bridge.transport.http import Http

MOST_ROWS = 300
"""Of what may be an endless list."""

Verb = Callable[[Adapter, str, Any], Awaitable[object]]


async def _rows(found: AsyncIterator[Any]) -> list[Any]:
    rows = []
    async for one in found:
        rows.append(one)
        if len(rows) == MOST_ROWS:
            break
    return rows


_FAULT = Failure(kind=FailureKind.BUSINESS, reason="the invoice has no number")
_DRAFT = ItemDraft(values={"number": "4711", "at": "2030-01-01"}, reference="INV-4711")
VERBS: dict[str, Verb] = {
    "log-in": lambda rpa, _, __: rpa.fetch_login(),
    "check": lambda rpa, _, __: rpa.check(),
    "automations.find": lambda rpa, _, __: _rows(rpa.automations.find()),
    "automations.get": lambda rpa, _, __: rpa.automations.get("Invoices"),
    "jobs.start": lambda rpa, _, __: rpa.jobs.start("Invoices", {"month": 10}, key="invoices-2026-10"),
    "jobs.get": lambda rpa, job, _: rpa.jobs.get(job),
    "jobs.find": lambda rpa, _, __: _rows(rpa.jobs.find()),
    "jobs.stop": lambda rpa, job, _: rpa.jobs.stop(job),
    "queues.find": lambda rpa, _, __: _rows(rpa.queues.find()),
    "queues.get": lambda rpa, _, __: rpa.queues.get("Invoices"),
    "queues.create": lambda rpa, _, __: rpa.queues.create(QueueDraft(name="Claims", retries=2)),
    "queues.stats": lambda rpa, _, __: rpa.queues.stats("Invoices"),
    "queues.add": lambda rpa, _, __: rpa.queues.add("Invoices", _DRAFT),
    "queues.add_many": lambda rpa, _, __: rpa.queues.add_many("Invoices", [_DRAFT, ItemDraft(values={"number": "2"})]),
    "queues.items": lambda rpa, _, __: _rows(rpa.queues.items("Invoices")),
    "queues.get_item": lambda rpa, _, item: rpa.queues.get_item("Invoices", item.id),
    "queues.take": lambda rpa, _, __: rpa.queues.take("Invoices"),
    "queues.progress": lambda rpa, _, item: rpa.queues.progress(item, "half"),
    "queues.fail": lambda rpa, _, item: rpa.queues.fail(item, _FAULT),
    "assets.find": lambda rpa, _, __: _rows(rpa.assets.find()),
    "assets.get": lambda rpa, _, __: rpa.assets.get("Currency"),
    "credentials.find": lambda rpa, _, __: _rows(rpa.credentials.find()),
    "artifacts.find": lambda rpa, _, __: _rows(rpa.artifacts.find()),
    "artifacts.upload": lambda rpa, job, __: rpa.artifacts.upload("a.txt", b"a", job=job),
    "robots.find": lambda rpa, _, __: _rows(rpa.robots.find()),
    "robots.machines": lambda rpa, _, __: _rows(rpa.robots.machines()),
    "logs.find": lambda rpa, job, __: _rows(rpa.logs.find(job=job)),
    "alerts.find": lambda rpa, _, __: _rows(rpa.alerts.find()),
    "folders.find": lambda rpa, _, __: _rows(rpa.folders.find()),
    "schedules.find": lambda rpa, _, __: _rows(rpa.schedules.find()),
    "webhooks.find": lambda rpa, _, __: _rows(rpa.webhooks.find()),
}
"""What is called: with the adapter, the id of a job, and an item that was taken."""


class Recorded:
    """The answers to each verb; `spoil` has the next call get one of them spoilt."""

    def __init__(self, settings: dict[str, Any], job: str, item: Any) -> None:
        self.settings, self.job, self.item = settings, job, item
        self.answers: dict[str, list[Response]] = {}
        self._login: list[Response] = []
        self._script: list[Response] = []
        self._spoilt = self._given = 0
        self._is_login = False

    @classmethod
    async def of(cls, vendor: str) -> Self:
        """All verbs' answers, from a new sandbox."""
        heard: list[tuple[Request, Response]] = []
        async with Sandbox([vendor]) as sandbox:
            settings = sandbox.connections[vendor]
            with patch.object(stack, "Http", lambda url, options: _Recorder(Http(url, options), heard)):
                async with Bridge({"connections": {vendor: settings}}, clock=ManualClock(), cache_dir=None) as bridge:
                    rpa = bridge[vendor]
                    job = await rpa.jobs.start("Invoices")
                    await rpa.queues.add("Invoices", ItemDraft(values={"number": "1"}))
                    recorded = cls(settings, job.id, await rpa.queues.take("Invoices"))
                    for name in VERBS:
                        heard.clear()
                        await recorded._note(name, rpa, heard)
        return recorded

    async def call(self, name: str, rpa: Adapter) -> object:
        """Calls the verb."""
        return await VERBS[name](rpa, self.job, self.item)

    async def _note(self, name: str, rpa: Adapter, heard: list[tuple[Request, Response]]) -> None:
        try:
            await self.call(name, rpa)
        except UnsupportedError:
            return
        is_login = name == "log-in"
        answers = [answer for request, answer in heard if is_login or request.signed]
        if is_login:
            self._login = answers
        if answers:
            self.answers[name] = answers

    def spoil(self, name: str, rng: random.Random, spoil: Callable[[Response, random.Random], Response]) -> None:
        """From now on this verb's answers are given, one of them spoilt."""
        self._script, self._is_login, self._given = list(self.answers[name]), name == "log-in", 0
        self._spoilt = rng.randrange(len(self._script))
        self._script[self._spoilt] = spoil(self._script[self._spoilt], rng)

    @property
    def was_given(self) -> bool:
        """Whether the spoilt answer has arrived."""
        return self._given > self._spoilt

    def next(self, *, is_login: bool) -> Response:
        """The next answer; at the end the last one again and again."""
        if is_login and not self._is_login:
            return self._login[0]
        self._given += 1
        return self._script[min(self._given, len(self._script)) - 1]


class _Recorder:
    """The network, and what it answered. Pieces are gathered."""

    def __init__(self, inner: Http, heard: list[tuple[Request, Response]]) -> None:
        self._inner, self._heard = inner, heard

    async def send(self, request: Request) -> Response:
        answer = await self._inner.send(request)
        self._heard.append((request, answer))
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()
