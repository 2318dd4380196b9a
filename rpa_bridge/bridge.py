"""The one object a program begins with: connections by name, opened when they are first used."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from enum import Enum
from pathlib import Path
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from rpa_bridge import registry
from rpa_bridge.clock import Clock, SystemClock
from rpa_bridge.contract.adapter import Adapter, AdapterContext, AdapterSettings
from rpa_bridge.errors import AdapterLoadError, ConfigError, NotFoundError
from rpa_bridge.settings import Settings, load_settings
from rpa_bridge.settings.model import DEFAULT_DOCUMENT, OutboxKind, state_dir_of
from rpa_bridge.settings.places import did_you_mean
from rpa_bridge.transport.options import HttpOptions

if TYPE_CHECKING:
    from rpa_bridge.auth.stores import TokenStore
    from rpa_bridge.helpers.reconciling import Reconciled
    from rpa_bridge.transport.outbox import Intent, Outbox


class _Default(Enum):
    FROM_SETTINGS = "what the settings say"


FROM_SETTINGS: Final = _Default.FROM_SETTINGS
"""As `cache_dir`: take the folder that the settings name. None keeps what would lie there in memory."""

CacheDir = Path | _Default | None


class Bridge:
    """Connections by name; `bridge["uipath-prod"]` is an Adapter. Opening one sends nothing.

    Use it as `async with Bridge.load() as bridge`, so that all that was opened is closed.
    """

    def __init__(
        self,
        settings: Settings | Mapping[str, Any] | None = None,
        *,
        clock: Clock | None = None,
        random: Random | None = None,
        cache_dir: CacheDir = FROM_SETTINGS,
    ) -> None:
        """A mapping has the shape of the settings file; None is the connection `local` alone. Raises ConfigError."""
        if not isinstance(settings, Settings):
            settings = Settings.of(DEFAULT_DOCUMENT if settings is None else settings)
        self._settings = settings
        self._clock = clock or SystemClock()
        self._random = random or Random()  # noqa: S311 - it spreads retries, and guards nothing
        self._cache_dir = settings.cache_dir if cache_dir is FROM_SETTINGS else cache_dir
        self._from_runner: dict[str, AdapterSettings] = {}
        self._opened: dict[str, Adapter] = {}
        self._state_dir = settings.state_dir if cache_dir is FROM_SETTINGS else state_dir_of(cache_dir)
        self._token_store: TokenStore | None = None
        self._outbox: Outbox | None = None
        self._closed = False

    @classmethod
    def load(
        cls,
        path: str | Path | None = None,
        *,
        clock: Clock | None = None,
        random: Random | None = None,
        cache_dir: CacheDir = FROM_SETTINGS,
    ) -> Self:
        """The bridge for a settings file: the one named, or the one that is found (see `settings.find_settings`).

        Raises ConfigError.
        """
        return cls(load_settings(path), clock=clock, random=random, cache_dir=cache_dir)

    @classmethod
    def from_runner_args(
        cls,
        argv: Sequence[str],
        *,
        http: HttpOptions | None = None,
        clock: Clock | None = None,
        random: Random | None = None,
        cache_dir: CacheDir = FROM_SETTINGS,
    ) -> Self:
        """The bridge for a program that a platform's runner started; `argv` is `sys.argv`.

        It has one connection, which bears the adapter's name: `bridge["botmaestro"]`, for one. That adapter's
        `current_job` is the job that this program runs. No settings file is read; `http` says what would stand there.
        Raises ConfigError when no installed adapter's runner starts programs so.
        """
        name, settings = _read_runner_args(argv[1:], http or HttpOptions())
        document = {"connections": {name: {"adapter": name}}}
        bridge = cls(document, clock=clock, random=random, cache_dir=cache_dir)
        bridge._from_runner[name] = settings
        return bridge

    def __getitem__(self, name: str) -> Adapter:
        """The connection of this name. Raises ConfigError, or AdapterLoadError when its adapter is missing."""
        if self._closed:
            raise ConfigError("this bridge is closed; make a new one with Bridge.load()")
        if name not in self._opened:
            self._opened[name] = self._open(name)
        return self._opened[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._settings.connections)

    def __len__(self) -> int:
        return len(self._settings.connections)

    def __contains__(self, name: object) -> bool:
        return name in self._settings.connections

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def reconcile(
        self, op_id: str | None = None, *, on: str | None = None, forget: bool = False
    ) -> AsyncIterator[Reconciled]:
        """What became of the effects that a crash or a lost answer left open: all, one, or those of one connection.

        Each is looked up once, and crossed out when it was found or can no longer come; nothing is sent again. With
        `forget`, what nobody can look up is crossed out too: for a person who has looked. Raises NotFoundError for an
        `op_id` that is not open.
        """
        from rpa_bridge.helpers.reconciling import Fate, outcome

        outbox = self._shared_outbox()
        entries = [] if outbox is None else outbox.entries()
        if op_id is not None and op_id not in {one.op_id for one in entries}:
            raise NotFoundError(f"there is no open effect {op_id!r}; rpa-bridge reconcile lists what is open")
        for intent in entries:
            if op_id in (None, intent.op_id) and on in (None, intent.connection):
                found = await self._reconciled(intent)
                if forget and found.fate is Fate.UNKNOWN and not intent.under_way:
                    found = outcome(intent, Fate.FORGOTTEN, "taken off the list", found.ids)
                if outbox is not None and found.fate is not Fate.UNKNOWN:
                    outbox.close(intent.op_id)
                yield found

    async def _reconciled(self, intent: Intent) -> Reconciled:
        from rpa_bridge.helpers.reconciling import reconciled, unknown

        try:
            adapter = self[intent.connection]
        except (ConfigError, AdapterLoadError) as error:
            return unknown(intent, str(error))
        return await reconciled(intent, adapter, self._clock.now())

    async def aclose(self) -> None:
        """Closes every connection that was opened, even if some fail to close; the last failure is raised."""
        self._closed = True
        async with AsyncExitStack() as closing:
            if self._outbox is not None:
                closing.callback(self._outbox.release)
            if self._token_store is not None:
                closing.push_async_callback(self._token_store.aclose)
            while self._opened:
                closing.push_async_callback(self._opened.popitem()[1].aclose)

    def _open(self, name: str) -> Adapter:
        if name not in self._settings.connections:
            raise ConfigError(
                f"there is no connection {name!r} in {self._settings.source or 'the settings'}, "
                f"only {', '.join(self)}{did_you_mean(name, self)}"
            )
        connection = self._settings.connections[name]
        adapter = registry.load_adapter(connection.adapter)
        context = AdapterContext(
            connection=name,
            clock=self._clock,
            random=self._random,
            cache_dir=self._cache_dir,
            token_store=self._shared_tokens(),
            outbox=self._shared_outbox(),
        )
        settings = self._from_runner.get(name) or connection.validated(adapter.settings_model)
        return adapter.open(settings, context)

    def _shared_tokens(self) -> TokenStore:
        """Where all connections keep their tokens. Raises ConfigError when the settings' `cache` is wrong."""
        if self._token_store is None:
            from rpa_bridge.auth.caching import open_store

            self._token_store = open_store(self._cache_dir, self._clock, self._settings.cache.validated())
        return self._token_store

    def _shared_outbox(self) -> Outbox | None:
        """Where all connections write down their effects; None where the settings say so, or nothing is shared."""
        kind = self._settings.outbox
        if self._outbox is None and self._state_dir is not None and kind is not OutboxKind.OFF:
            from rpa_bridge.transport.sqlite_outbox import SqliteOutbox

            self._outbox = SqliteOutbox(self._state_dir, durable=kind is OutboxKind.DURABLE)
        return self._outbox


def _read_runner_args(arguments: Sequence[str], http: HttpOptions) -> tuple[str, AdapterSettings]:
    """The one adapter that knows these arguments, and what it reads in them. They are in no error: one is a token."""
    asked: dict[str, AdapterSettings | None] = {}
    problems = ""
    for name in dict.fromkeys(one.name for one in registry.installed()):
        try:
            asked[name] = registry.load_adapter(name).from_runner_args(arguments, http)
        except AdapterLoadError as error:  # one that is broken must not keep the others from their work
            problems += f"; {error}"
    known = {name: settings for name, settings in asked.items() if settings is not None}
    if len(known) > 1:
        raise ConfigError(f"the arguments are those of the runners of {' and '.join(known)}; uninstall all but one")
    for name, settings in known.items():
        return name, settings
    raise ConfigError(
        f"no runner of {', '.join(asked) or 'any adapter'} starts a program with such arguments; let the runner start "
        f"it, or use Bridge.load() where there is none{problems}"
    )
