"""What a standard test plays with: the adapter, the harness behind it, and the questions that all tests ask."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest

from rpa_bridge.contract.adapter import Adapter
from rpa_bridge.contract.features import Feature, Limits
from rpa_bridge.contract.jobs import Job, JobState
from rpa_bridge.contract.queues import Item, ItemDraft
from rpa_bridge.errors import BridgeError, InvalidError, UnsupportedError

from .harness import Harness
from .refusals import CALLS

T = TypeVar("T")

MOST_LOOKS = 400
"""After so many looks a job is not coming to the state any more."""


class Stage:
    """One test's adapter, on a fresh platform."""

    def __init__(self, adapter: Adapter, harness: Harness) -> None:
        self.adapter = adapter
        self.harness = harness
        self._names = 0

    @property
    def limits(self) -> Limits:
        """The adapter's declared limits."""
        return self.adapter.capabilities.limits

    @property
    def automation(self) -> str:
        return _seed("automation", self.harness.automation)

    @property
    def failing_automation(self) -> str:
        return _seed("failing_automation", self.harness.failing_automation)

    @property
    def queue(self) -> str:
        return _seed("queue", self.harness.queue)

    @property
    def unique_queue(self) -> str:
        return _seed("unique_queue", self.harness.unique_queue)

    def new_name(self, what: str) -> str:
        """A name that nothing on the platform has."""
        self._names += 1
        return f"conformance-{what}-{self._names}"

    def offers(self, verb: str) -> bool:
        """Whether the adapter says that it has this verb."""
        noun = verb.partition(".")[0]
        if verb in set(Feature):
            return Feature(verb) in self.adapter.capabilities
        return noun == "adapter" or not getattr(self.adapter, noun).is_absent

    async def check_refusal(self, verb: str) -> None:
        """Fails unless the verb refuses, as unsupported, before anything is sent."""
        noun = verb.partition(".")[0]
        with self.refused(UnsupportedError, unsent=True) as caught:
            result = CALLS[verb](self.adapter)
            if inspect.isawaitable(result):
                result = await result
            if hasattr(result, "__anext__"):
                await anext(result, None)
            elif hasattr(result, "__aenter__"):
                async with result:
                    raise AssertionError(f"{verb} is not declared, yet its block was entered")
        error = caught.value
        assert isinstance(error, UnsupportedError)
        assert error.feature.partition(".")[0] == noun, f"{verb} refuses in the name of {error.feature}"
        assert error.adapter == self.adapter.info.name

    @contextmanager
    def refused(self, *kinds: type[BridgeError], unsent: bool = False) -> Iterator[pytest.ExceptionInfo[BridgeError]]:
        """Expects one of these errors, fit for a person to read; with `unsent` no request may have been sent."""
        sent = self.harness.sent()
        with pytest.raises(kinds) as caught:
            yield caught
        error = caught.value
        assert str(error).strip(), f"{type(error).__name__} has no text; say what is wrong and how to mend it"
        for cause in (error.__cause__, None if error.__suppress_context__ else error.__context__):
            assert cause is None or isinstance(cause, BridgeError), f"{type(cause).__name__} shows behind {error!r}"
        for secret in self.harness.secrets:
            assert secret not in repr(error), "the error shows a secret"
        if unsent:
            assert self.harness.sent() == sent, "it refused, but only after it had sent something"

    async def unless_refused(self, call: Awaitable[T]) -> T | None:
        """What the call gives; None where the platform cannot hold something, and said so before sending it."""
        sent = self.harness.sent()
        try:
            return await call
        except (InvalidError, UnsupportedError):
            assert self.harness.sent() == sent, "what a platform cannot hold is refused before anything is sent"
            return None

    async def finished(self, job: Job | str) -> Job:
        """The job, when it is over."""
        return await self.adapter.jobs.wait(job, timeout=self.harness.patience / 2, poll=self.harness.poll)

    async def until(self, job_id: str, state: JobState) -> Job:
        """The job, when it has come to this state."""
        for _ in range(MOST_LOOKS):
            job = await self.adapter.jobs.get(job_id)
            if job.state is state or job.finished:
                break
            await self.harness.clock.sleep(self.harness.poll)
        assert job.state is state, f"the job should have stayed {state}, it is {job.state}"
        return job

    async def taken(self, queue: str | None = None) -> Item:
        """The next item, which must be there."""
        item = await self.adapter.queues.take(queue or self.queue)
        assert item is not None, "there is an item in the queue, but take gave None"
        return item

    async def taken_new(self, draft: ItemDraft | None = None) -> Item:
        """An item added and taken."""
        added = await self.adapter.queues.add(self.queue, draft or ItemDraft(values={"n": 1}))
        taken = await self.taken()
        assert taken.id == added.id
        return taken


def _seed(name: str, value: str | None) -> str:
    assert value is not None, f"the harness names no {name}; name one, or mark the test with the reason"
    return value


async def listed(found: AsyncIterator[T]) -> list[T]:
    """All that an iterator gives."""
    return [one async for one in found]
