"""How a connection sends what must not happen twice: written down before, looked up after a lost answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TypeVar

from rpa_bridge.clock import Clock
from rpa_bridge.errors import BridgeError, Delivery, RemoteError
from rpa_bridge.redaction import REDACTOR

from .outbox import Intent, Outbox
from .reconcile import blindly, once, wait_out

T = TypeVar("T")
LONGEST_TRY = 180.0
"""Seconds after which an effect is not tried once more: what the layer that repeats allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What all effects of one connection share."""

    connection: str
    place: str
    """The platform, and the part of it, that the connection speaks to."""
    clock: Clock
    new_id: Callable[[], str]
    outbox: Outbox | None
    settle_window: float
    longest_attempt: float
    """Seconds that one attempt may take."""
    _left: dict[str, datetime] = field(default_factory=dict, repr=False)
    """When what was left open is settled, by its key: the outbox, which others share, may not be there."""

    async def earlier(
        self, look_up: Callable[[], Awaitable[T | None]], *, operation: str, what: str, key: str
    ) -> T | None:
        """What an earlier effect of this key has made after all, whose end nobody saw; else None: it may be sent.

        Call it where a first look has found nothing, and nobody else can be at work with the key. Waits until what is
        open can no longer come, at most for the settle window. Raises OutcomeUnknownError when it still can then, and
        what the last look raises.
        """
        written = None if self.outbox is None else self.outbox.settles_at(self.place, _shown_key(key))
        known = [moment for moment in (self._left.get(key), written) if moment is not None]
        if not known:
            return None
        left = (max(known) - self.clock.now()).total_seconds()
        return await wait_out(
            left, look_up, clock=self.clock, operation=operation, what=what, window=self.settle_window
        )

    async def once(
        self,
        send: Callable[[], Awaitable[T]],
        look_up: Callable[[], Awaitable[T | None]],
        *,
        operation: str,
        what: str,
        subject: str = "",
        key: str = "",
        count: int = 1,
    ) -> T:
        """`reconcile.once`, in the outbox meanwhile.

        With `subject` and `key` the adapter's look-up of this operation finds it after a crash.
        """
        with self.noted(operation, what, subject=subject, key=key, count=count):
            return await once(
                send, look_up, clock=self.clock, operation=operation, what=what, window=self.settle_window
            )

    @contextmanager
    def blindly(self, operation: str, what: str) -> Iterator[None]:
        """`reconcile.blindly`, in the outbox meanwhile."""
        with self.noted(operation, what), blindly(what):
            yield

    @contextmanager
    def noted(
        self, operation: str, what: str, *, subject: str = "", key: str = "", count: int = 1, op_id: str | None = None
    ) -> Iterator[None]:
        """Round an effect: it stays in the outbox when the process dies in the block, or its outcome is unknown.

        Whoever finds out later what became of it gives an `op_id` of its own, and calls `settled`.
        """
        if self.outbox is not None:
            op_id = op_id or self.new_id()
            self.outbox.open(self._intent(op_id, operation, subject=subject, key=key, what=what, count=count))
        try:
            yield
        except BaseException as error:
            if _is_decided(error):
                self.settled(op_id)
            else:
                self._leave(op_id, key)
            raise
        self.settled(op_id)

    def settled(self, op_id: str | None) -> None:
        """Crosses out an effect whose outcome was unknown, and is known now."""
        if self.outbox is not None and op_id is not None:
            self.outbox.close(op_id)

    def _intent(self, op_id: str, operation: str, *, subject: str, key: str, what: str, count: int) -> Intent:
        now = self.clock.now()
        subject, key, what = _shown(subject, key, what)
        return Intent(
            op_id=op_id,
            connection=self.connection,
            place=self.place,
            operation=operation,
            subject=subject,
            key=key,
            count=count,
            what=what,
            at=now,
            settles_at=now + timedelta(seconds=LONGEST_TRY + self.longest_attempt + self.settle_window),
        )

    def _leave(self, op_id: str | None, key: str) -> None:
        """Remembers that nobody knows what became of it, and until when it may still come."""
        now = self.clock.now()
        settles_at = now + timedelta(seconds=self.settle_window)
        if self.outbox is not None and op_id is not None:
            self.outbox.leave(op_id, settles_at)
        if key:
            for known in [known for known, moment in self._left.items() if moment <= now]:
                del self._left[known]
            self._left[key] = settles_at


def _shown(subject: str, key: str, what: str) -> tuple[str, str, str]:
    """As they may be written down. Without its subject nobody looks for it: a masked name would be found nowhere."""
    whole = f"{subject}\n{key}\n{what}"
    if whole.count("\n") == 2 and REDACTOR.clean(whole) == whole:  # nearly always: one search instead of three
        return subject, key, what
    shown_key = _shown_key(key)
    shown = REDACTOR.clean(subject) == subject and shown_key == key
    return subject if shown else "", shown_key, REDACTOR.line(what)


def _shown_key(key: str) -> str:
    """The key, or what stands for it where it must not be shown: a second start has to wait for that one, too."""
    if REDACTOR.clean(key) == key:
        return key
    return f"#{sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _is_decided(error: BaseException) -> bool:
    """Whether it is known what became of the effect: it never left, or was refused, or the caller was told."""
    return isinstance(error, BridgeError) and not (isinstance(error, RemoteError) and error.delivery is Delivery.MAYBE)
