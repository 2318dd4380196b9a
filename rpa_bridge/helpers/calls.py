"""One call from a plain thread into an event loop, and back.

What is the caller's own runs in the caller's thread, while that waits: iterators that it hands in, functions that it
wants called. They may therefore make calls themselves, and use whatever may not change threads.
"""

from __future__ import annotations

import asyncio
import functools
import queue
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any, Generic, TypeVar

from rpa_bridge.errors import ConfigError

T = TypeVar("T")

TICK = 1.0
"""Seconds after which a waiting thread looks up: on Windows, Ctrl-C is not noticed before."""
END: Any = object()
"""Stands behind the last value of an iterator."""


class Call(Generic[T]):
    """One call, and the thread that waits for it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, work: Callable[[Call[T]], Awaitable[T]]) -> None:
        self._loop = loop
        self._work = work
        self._inbox: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._task: asyncio.Task[None] | None = None
        self._result: T = END
        self._failure: BaseException | None = asyncio.CancelledError()  # unless the work gets as far as its end

    def begin(self) -> None:
        """Starts the work; runs in the loop's thread."""
        self._task = self._loop.create_task(self._carry_out())
        self._task.add_done_callback(lambda _task: self._inbox.put(None))

    def refuse(self, failure: BaseException) -> None:
        """Ends it with this failure, instead of `begin`."""
        self._failure = failure
        self._inbox.put(None)

    def wait(self, accept: Callable[[], object]) -> T:
        """The work's result, once it is there; an interruption of this thread cancels the work and is raised on.

        `accept` has the loop begin it, or refuses it: from then on an interruption finds it, however soon it comes.
        """
        interruption: BaseException | None = None
        step: Callable[[], object] | None = accept
        while step is not None:
            try:
                if interruption is None:
                    step()
                step = self._next_step()
            except BaseException as error:
                if interruption is not None:
                    raise  # interrupted again: do not even wait for the work to wind up
                interruption = error
                self._tell_loop(self._cancel)
        if interruption is not None:
            raise interruption
        if isinstance(self._failure, asyncio.CancelledError):
            raise ConfigError(
                "the bridge was closed during this call, which may have happened all the same; look first"
            )
        if self._failure is not None:
            raise self._failure
        return self._result

    async def borrowed(self, iterator: Iterator[Any]) -> AsyncIterator[Any]:
        """What the iterator gives; each step runs in the caller's thread."""
        while (one := await self._in_caller(functools.partial(next, iterator, END))) is not END:
            yield one

    def told(self, function: Callable[..., object]) -> Callable[..., None]:
        """A stand-in for the caller's function: it returns at once, and the caller's thread runs the function next."""
        return lambda *args, **named: self._inbox.put(functools.partial(function, *args, **named))

    async def _carry_out(self) -> None:
        try:
            self._result = await self._work(self)
            self._failure = None
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits; here it would end the loop
            self._failure = error

    async def _in_caller(self, function: Callable[[], Any]) -> Any:
        answer = self._loop.create_future()

        def step() -> None:
            try:
                result = function()
            except Exception as error:  # noqa: BLE001 - the caller's own failure goes to whoever asked for the step
                self._tell_loop(_settle, answer, None, error)
            else:
                self._tell_loop(_settle, answer, result, None)

        self._inbox.put(step)
        return await answer

    def _next_step(self) -> Callable[[], object] | None:
        while True:
            with suppress(queue.Empty):
                return self._inbox.get(timeout=TICK)
            if self._loop.is_closed():
                return None

    def _cancel(self) -> None:
        if self._task is None or self._task.done():  # never begun, or the interruption has swallowed its end
            self._inbox.put(None)
        else:
            self._task.cancel()

    def _tell_loop(self, function: Callable[..., object], *args: Any) -> None:
        with suppress(RuntimeError):  # the loop has ended: nobody is left to be told
            self._loop.call_soon_threadsafe(function, *args)


def _settle(answer: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)
