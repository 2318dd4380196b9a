"""Tokens shared by several machines through Redis. They lie there sealed, with a key that Redis does not have.

docs: redis.io, commands SET, GET, DEL, EVAL
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from rpa_bridge.clock import Clock

from .keys import TokenKey
from .private_files import SECRET_LENGTH, DoubtfulFileError
from .records import EMPTY, Record, decode, encode
from .sealing import Seal
from .stores import KeyLock, Place, Says, TokenStore, Waits

T = TypeVar("T")

RECORD, LOCK = "rpa:tok:", "rpa:lock:"
LOCK_LIFE = 30.0
"""Seconds after which Redis takes a lock back: nobody holds one for longer than a log-in may take."""
PATIENCE = 2.0
"""Seconds for one command."""
QUIET = 30.0
"""Seconds for which a Redis that failed is left alone."""
RELEASE = 'if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) else return 0 end'
"""Compare and delete: a lock that Redis took back may be somebody else's by now."""


class Redis(Protocol):
    """What is asked of a client; `redis.asyncio.Redis` is one."""

    async def get(self, name: str) -> bytes | None:
        """The value; None when there is none."""

    async def set(
        self, name: str, value: str | bytes, *, nx: bool = False, px: int | None = None, pxat: int | None = None
    ) -> object:
        """Sets a value that ends in `px` milliseconds, or at `pxat`; with `nx` falsy when there was one."""

    async def delete(self, name: str) -> object:
        """Deletes a value."""

    async def execute_command(self, *words: str) -> object:
        """Runs any other command."""

    async def aclose(self) -> None:
        """Ends its connections."""


class _DownError(Exception):
    """Redis did not do what it was asked."""


class RedisStore:
    """Keeps records in Redis until they end; where Redis fails, in a spare store for a while. That is said once."""

    def __init__(
        self, redis: Redis, key: bytes, spare: TokenStore, clock: Clock, *, lock_life: float = LOCK_LIFE
    ) -> None:
        """`key`, 32 bytes, must be the same on all machines. Raises NoKeyError without the library for sealing."""
        self._redis, self._spare, self._clock, self.lock_life = redis, spare, clock, lock_life
        self._naming_key, sealing_key = _derived(key)
        self._seal = Seal(sealing_key)
        self._spare_names: dict[str, str] = {}
        self._unsaved: dict[str, Record] = {}
        """What Redis should know and does not yet; it is in the spare store too, for our neighbours."""
        self._quiet_until = clock.monotonic()
        self._says = Says()

    async def name(self, key: TokenKey) -> str:
        name = key.digest(self._naming_key)
        if name not in self._spare_names:
            self._spare_names[name] = await self._spare.name(key)
        return name

    async def load(self, name: str, *, locked: bool = False) -> Record:
        if name in self._unsaved and not self._is_quiet:
            await self.save(name, self._unsaved[name])
        try:
            sealed = await self.ask(lambda redis: redis.get(RECORD + name))
        except _DownError:
            return await self._spare.load(self._spare_names[name], locked=locked)
        return EMPTY if sealed is None else await self._opened(name, sealed, locked=locked)

    async def save(self, name: str, record: Record) -> None:
        spare_name = self._spare_names[name]
        try:
            await self.ask(lambda redis: self._put(redis, name, record))
        except _DownError:
            self._unsaved[name] = record
            await self._spare.save(spare_name, record)
            return
        if self._unsaved.pop(name, None) is not None:
            await self._spare.remove(spare_name)

    async def remove(self, name: str) -> None:
        await self._spare.remove(self._spare_names[name])
        await self.save(name, EMPTY)

    def lock(self, name: str) -> KeyLock:
        return _RedisKeyLock(self, LOCK + name, self._spare.lock(self._spare_names[name]))

    def place(self, name: str) -> Place:
        return self._spare.place(self._spare_names[name]) if self._is_quiet or name in self._unsaved else "redis"

    async def aclose(self) -> None:
        for name, record in list(self._unsaved.items()):
            await self.save(name, record)
        with suppress(Exception):
            async with asyncio.timeout(PATIENCE):
                await self._redis.aclose()
        await self._spare.aclose()

    async def ask(self, command: Callable[[Redis], Awaitable[T]]) -> T:
        """What Redis answers. Raises _DownError when it does not, or did not a moment ago."""
        if self._is_quiet:
            raise _DownError
        try:
            async with asyncio.timeout(PATIENCE):
                return await command(self._redis)
        except Exception as error:  # noqa: BLE001 - a client fails in ways of its own, and no failure may reach a caller
            self._quiet_until = self._clock.monotonic() + QUIET
            self._says.warn(
                "down",
                "tokens are not shared with other machines for now: Redis cannot be used (%s); see that it runs, and "
                "that cache.redis in the settings has its address, user, password and ca_file",
                type(error).__name__,
            )
        raise _DownError

    @property
    def _is_quiet(self) -> bool:
        return self._clock.monotonic() < self._quiet_until

    async def _put(self, redis: Redis, name: str, record: Record) -> None:
        if (end := record.end) is None or end <= self._clock.now():
            await redis.delete(RECORD + name)
            return
        sealed = self._seal.seal(encode(record, name), name)
        await redis.set(RECORD + name, sealed, pxat=int(end.timestamp() * 1000))

    async def _opened(self, name: str, sealed: bytes, *, locked: bool) -> Record:
        try:
            return decode(self._seal.open(sealed, name), name, self._clock.now(), self._clock.monotonic())
        except DoubtfulFileError as doubt:
            self._says.warn(
                name, "the token record %s in Redis is not used: %s; a new token is asked for", name[:8], doubt
            )
        if locked:
            await self.save(name, EMPTY)
        return EMPTY


class _RedisKeyLock:
    """A lock that Redis takes back by itself; where Redis fails, the spare store's."""

    def __init__(self, store: RedisStore, name: str, spare: KeyLock) -> None:
        self._store, self._name, self._spare = store, name, spare
        self._on_spare = False
        self._proof = secrets.token_hex(16)
        self.waits = Waits(first=0.1, longest=0.25, patience=store.lock_life + 2.0)  # longer than the dead hold it

    async def acquire(self) -> bool:
        life = int(self._store.lock_life * 1000)
        try:
            won = await self._store.ask(lambda redis: redis.set(self._name, self._proof, nx=True, px=life))
        except _DownError:
            self._on_spare = True
            return await self._spare.acquire()
        except asyncio.CancelledError:
            await self.release()  # the command may have been carried out
            raise
        self._on_spare = False
        return bool(won)

    async def release(self) -> None:
        if self._on_spare:
            await self._spare.release()
            return
        with suppress(_DownError):  # it ends by itself
            await self._store.ask(lambda redis: redis.execute_command("EVAL", RELEASE, "1", self._name, self._proof))


def connect(
    host: str,
    port: int,
    db: int,
    *,
    tls: bool,
    user: str | None = None,
    password: str | None = None,
    ca_file: str | None = None,
) -> Redis:
    """A client of the redis package; nothing is sent yet."""
    from redis.asyncio import Redis as Client
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    verified: dict[str, Any] = {
        "ssl": True,
        "ssl_ca_certs": ca_file,
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": True,
        "ssl_min_version": ssl.TLSVersion.TLSv1_2,
    }
    client: Redis = Client(
        host=host,
        port=port,
        db=db,
        username=user,
        password=password,
        protocol=2,  # all that is needed; the newer one begins with HELLO, which older servers and proxies refuse
        socket_connect_timeout=PATIENCE,
        socket_timeout=PATIENCE,
        retry=Retry(NoBackoff(), 0),  # a lock that was won, its answer lost and then asked for again looks lost
        **(verified if tls else {}),
    )
    return client


def _derived(key: bytes) -> tuple[bytes, bytes]:
    """The keys for names and for seals, of which neither tells the other."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    both = HKDF(SHA256(), 2 * SECRET_LENGTH, salt=None, info=b"rpa-bridge token store 1").derive(key)
    return both[:SECRET_LENGTH], both[SECRET_LENGTH:]
