"""Asynchronous objects for programs that are not: an event loop in a thread of its own, and faces that wait for it."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
from collections.abc import Awaitable, Callable, Collection, Generator, Iterable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import Any, TypeVar

from rpa_bridge.errors import ConfigError

from .calls import END, Call

T = TypeVar("T")


class Blocking:
    """An event loop in its own thread, and what makes asynchronous objects wait for it.

    `face_of` tells which values get a face, and of which class. To the verbs named in `streaming` an iterator is handed
    as a stream; to all others as a list.
    """

    def __init__(self, face_of: Callable[[object], type[Face] | None], streaming: Collection[str]) -> None:
        self._face_of = face_of
        self._streaming = streaming
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="rpa-bridge", daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        """Whether the loop was ended."""
        return self._closed

    def run(self, work: Callable[[Call[T]], Awaitable[T]]) -> T:
        """The result of the work, which runs in the loop. Raises ConfigError after `close`."""
        call = Call(self._loop, work)
        return call.wait(functools.partial(self._accept, call))

    def verb(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """The same method, which returns when it is done."""

        @functools.wraps(method)
        def blocking(*args: Any, **named: Any) -> Any:
            given = [self._prepared(method, one) for one in args]
            given_named = {name: self._prepared(method, one) for name, one in named.items()}

            async def work(call: Call[Any]) -> Any:
                result = method(
                    *(_lent(call, one) for one in given),
                    **{name: _lent(call, one) for name, one in given_named.items()},
                )
                return await result if inspect.isawaitable(result) else result

            return self.face(self.run(work))

        return blocking

    def face(self, value: Any) -> Any:
        """What a program without an event loop can use in the value's place; plain values are their own."""
        kind = self._face_of(value)
        if kind is not None:
            return kind(value, self)
        if hasattr(value, "__anext__"):
            return self._iterate(value)
        if hasattr(value, "__aenter__"):
            return _Held(value, self)
        if isinstance(value, list):
            return [self.face(one) for one in value]
        return value

    def close(self) -> None:
        """Cancels what still runs and ends the thread."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _accept(self, call: Call[Any]) -> None:
        with self._lock:  # what is accepted here begins before the loop ends, and is told of that end
            if self._closed:
                call.refuse(ConfigError("this bridge is closed; make a new one with Bridge.load()"))
            else:
                self._loop.call_soon_threadsafe(call.begin)

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._stop.wait())

    def _prepared(self, method: Callable[..., Any], argument: Any) -> Any:
        """A list of what an iterator gives, made in the caller's thread, unless the verb takes streams."""
        return list(argument) if _flows(argument) and method.__name__ not in self._streaming else argument

    def _iterate(self, source: Any) -> Generator[Any, None, None]:
        try:
            while (one := self.run(lambda _call: anext(source, END))) is not END:
                yield self.face(one)
        finally:
            # A forgotten iterator may be collected in the loop's own thread, where waiting would block for ever;
            # asyncio then closes the source by itself.
            if hasattr(source, "aclose") and not self._closed and threading.current_thread() is not self._thread:
                self.run(lambda _call: source.aclose())


def _flows(argument: Any) -> bool:
    return isinstance(argument, Iterable) and not isinstance(argument, Collection)


def _lent(call: Call[Any], argument: Any) -> Any:
    if _flows(argument):
        return call.borrowed(iter(argument))
    if callable(argument) and not isinstance(argument, type):
        return call.told(argument)
    return argument


class Face:
    """An object whose verbs wait until they are done."""

    __slots__ = ("_blocking", "_target")

    def __init__(self, target: Any, blocking: Blocking) -> None:
        self._target = target
        self._blocking = blocking

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = getattr(self._target, name)
        if callable(value) and not isinstance(value, type):
            return self._blocking.verb(value)
        return self._blocking.face(value)

    def __dir__(self) -> list[str]:
        return [name for name in dir(self._target) if not name.startswith("_")]


class _Held(AbstractContextManager[Any]):
    """A `with` block whose asynchronous side stays in one task, as timeouts and task groups demand."""

    def __init__(self, manager: AbstractAsyncContextManager[Any], blocking: Blocking) -> None:
        self._manager = manager
        self._blocking = blocking

    def __enter__(self) -> Any:
        return self._blocking.face(self._blocking.run(self._enter))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        outcome = self._blocking.run(lambda _call: self._leave(error))
        if outcome is None:
            return error is not None
        if outcome is not error:
            raise outcome
        outcome.with_traceback(trace)  # without the steps of the other thread
        return False

    async def _enter(self, _call: Call[Any]) -> Any:
        loop = asyncio.get_running_loop()
        self._entered: asyncio.Future[Any] = loop.create_future()
        self._left: asyncio.Future[BaseException | None] = loop.create_future()
        self._task = loop.create_task(self._hold())
        await self._settled(self._task, self._entered)
        if self._entered.done():
            return self._entered.result()
        outcome = self._task.result()
        raise outcome or RuntimeError("the block ended before it began")

    async def _leave(self, error: BaseException | None) -> BaseException | None:
        self._left.set_result(error)
        await self._settled(self._task)
        return self._task.result()

    async def _hold(self) -> BaseException | None:
        """The exception with which the block ended; None if there was none, or it was swallowed."""
        try:
            async with self._manager as value:
                self._entered.set_result(value)
                error = await self._left
                if error is not None:
                    raise error
        except BaseException as error:  # noqa: BLE001 - raised in the thread of the block; here it would end the loop
            return error
        return None

    async def _settled(self, *futures: asyncio.Future[Any]) -> None:
        """Waits for one of the futures; a cancelled wait cancels the block and sees it out."""
        try:
            await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._task.cancel()
            await asyncio.wait({self._task})
            raise
