"""Leaves a server alone that fails most of the time, and lets one read at a time find out whether it answers again.

Reads and writes are counted apart, each server by itself; each process, and each connection in it, for itself.
"""

from __future__ import annotations

import logging
import math
import random
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rpa_bridge.clock import Clock
from rpa_bridge.errors import Delivery, ProtocolError, RemoteError, UnavailableError

from .base import Effect, Request, Response, Transport
from .call import LEAST_TIME, seconds_left

LOG = logging.getLogger("rpa_bridge.breaker")
WINDOW = 30.0
"""Seconds over which results are counted."""
SLOT = 1.0
"""Seconds of results that are forgotten together."""
LEAST_RESULTS = 20
MOST_FAILED = 0.5
FIRST_REST, LONGEST_REST = 5.0, 60.0
"""Seconds; each rest is twice as long as the one before, if that is not long ago."""
JITTER = 0.2
SUCCESSES = 2
"""Reads that must be answered before all may send again."""
WHILE_PROBED = 1.0
"""Seconds to come back after, while somebody else finds out."""
_NO_ANSWER = (UnavailableError, ProtocolError)
"""Any other error was made of an answer that was understood, whatever its status."""


@dataclass(slots=True)
class _Slot:
    """Results of one span of time."""

    begins: float
    total: int = 0
    failed: int = 0


class Circuit:
    """Results of one kind at one server. `closed` as in electricity: everything flows."""

    def __init__(self, name: str, clock: Clock, rng: random.Random) -> None:
        self.closed = True
        self._name, self._clock, self._random = name, clock, rng
        self._slots: deque[_Slot] = deque([_Slot(clock.monotonic())])
        self._rest, self._until, self._closed_at = FIRST_REST, 0.0, 0.0
        self._answered, self._is_probed = 0, False

    def answered(self) -> None:
        """An attempt was answered."""
        self._slot().total += 1

    def failed(self) -> None:
        """An attempt never left, or had no trustworthy answer; when that is too often nothing more is sent."""
        slot = self._slot()
        slot.total += 1
        slot.failed += 1
        total, failed = sum(one.total for one in self._slots), sum(one.failed for one in self._slots)
        if self.closed and total >= LEAST_RESULTS and failed >= total * MOST_FAILED:
            if self._clock.monotonic() - self._closed_at > WINDOW:
                self._rest = FIRST_REST
            self._open(f"{failed} of the last {total} attempts failed")

    @contextmanager
    def probe(self, operation: str) -> Iterator[None]:
        """For the length of a read that nobody else may send. Raises UnavailableError while it has to wait."""
        wait = max(0.0, self._until - self._clock.monotonic()) or (WHILE_PROBED if self._is_probed else 0.0)
        if wait > 0:
            raise UnavailableError(
                f"{operation}: most attempts failed lately, so that nothing is sent for another {math.ceil(wait)} "
                f"seconds; try again then, and see whether the platform is running and reachable",
                operation=operation,
                delivery=Delivery.NOT_SENT,
                retry_after=wait,
                attempts=0,
            )
        self._is_probed = True
        try:
            yield
        finally:
            self._is_probed = False

    def probed(self, *, answered: bool) -> None:
        """A probe is over."""
        if not answered:
            self._open("it still fails")
            return
        self._answered += 1
        if self._answered >= SUCCESSES:
            self.closed, self._closed_at = True, self._clock.monotonic()
            self._slots = deque([_Slot(self._closed_at)])
            LOG.info("%s: it answers again", self._name)

    def _open(self, reason: str) -> None:
        rest = self._rest * self._random.uniform(1 - JITTER, 1 + JITTER)
        self._rest = min(self._rest * 2, LONGEST_REST)
        self.closed, self._answered, self._until = False, 0, self._clock.monotonic() + rest
        LOG.warning("%s: %s; nothing is sent for %.0f seconds", self._name, reason, rest)

    def _slot(self) -> _Slot:
        now = self._clock.monotonic()
        if now - self._slots[-1].begins >= SLOT:
            self._slots.append(_Slot(now))
            while now - self._slots[0].begins > WINDOW:
                self._slots.popleft()
        return self._slots[-1]


class Breaker:
    """Refuses at once what would most probably fail. Answers of 4xx, 429 among them, count for nothing."""

    def __init__(self, inner: Transport, connection: str, clock: Clock, rng: random.Random) -> None:
        self._inner, self._connection, self._clock, self._random = inner, connection, clock, rng
        self._circuits: dict[tuple[str, bool], Circuit] = {}

    async def send(self, request: Request) -> Response:
        key = request.server, request.effect is Effect.READ
        circuit = self._circuits.get(key) or self._new_circuit(*key)
        if not circuit.closed:
            if request.effect is Effect.READ:
                return await self._probe(circuit, request)
            await self._find_out(circuit, request)
        try:
            response = await self._inner.send(request)
        except RemoteError as error:
            if _failed(error):
                circuit.failed()
            raise
        circuit.answered()
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _find_out(self, circuit: Circuit, request: Request) -> None:
        """Returns when writes may be sent again; until then reads of our own find out. Raises UnavailableError."""
        read = Request(
            "GET",
            f"{request.server}/",
            effect=Effect.READ,
            operation=request.operation,
            signed=False,
            foreign=request.foreign,
        )
        while not circuit.closed:
            try:
                await self._probe(circuit, read)
            except RemoteError as error:
                if not _answered(error):
                    error.delivery, error.attempts = Delivery.NOT_SENT, 0  # the read may have left, the write has not
                    raise

    async def _probe(self, circuit: Circuit, read: Request) -> Response:
        with circuit.probe(read.operation):
            try:
                response = await self._inner.send(read)
            except RemoteError as error:
                if _answered(error) or _failed(error):
                    circuit.probed(answered=_answered(error))
                raise
            circuit.probed(answered=True)
            return response

    def _new_circuit(self, server: str, is_read: bool) -> Circuit:
        name = f"{server or self._connection}, {'reads' if is_read else 'writes'}"
        return self._circuits.setdefault((server, is_read), Circuit(name, self._clock, self._random))


def _answered(error: RemoteError) -> bool:
    """Whether the server is there and understood, although it refused."""
    return error.status is not None and (error.status < 500 or not isinstance(error, _NO_ANSWER))


def _failed(error: RemoteError) -> bool:
    """Whether the failure tells of the server: not of a log-in, of our own limits, or of a caller who had no time."""
    if not isinstance(error, _NO_ANSWER) or error.delivery is Delivery.REFUSED:
        return False
    is_ours = error.delivery is Delivery.NOT_SENT and (not error.retryable or error.attempts == 0)
    return not is_ours and seconds_left() >= LEAST_TIME
