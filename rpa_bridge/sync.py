"""The same names without `await`, for plain scripts: `from rpa_bridge.sync import Bridge`.

Verbs return when they are done, asynchronous iterators are plain ones, and leases and downloads are `with` blocks. A
thread in the background runs the event loop; any number of threads may use one bridge.

Type checkers read `sync.pyi`, which tools/generate_sync_stub.py makes from the contract.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, Self

from rpa_bridge import bridge as asynchronous
from rpa_bridge.clock import Clock
from rpa_bridge.contract import adapter as contract
from rpa_bridge.contract import features
from rpa_bridge.helpers.blocking import Blocking, Face
from rpa_bridge.settings import Settings, load_settings

STREAMING = frozenset({"add_many", "upload", "upload_package"})
"""The verbs that take a stream."""


class Adapter(Face):
    """One connection to one platform."""


class Service(Face):
    """What all nouns share."""


class Transport(Face):
    """The door to what only one vendor has."""


_NOUNS = {noun: type(noun.__name__, (Service,), {"__doc__": noun.__doc__}) for noun in contract.SERVICES}
globals().update({face.__name__: face for face in _NOUNS.values()})


def _face_of(value: object) -> type[Face] | None:
    if isinstance(value, contract.Adapter):
        return Adapter
    if isinstance(value, features.Service):
        return next(face for noun, face in _NOUNS.items() if isinstance(value, noun))
    if hasattr(value, "send") and hasattr(value, "aclose"):
        return Transport
    return None


class Bridge:
    """Connections by name; `bridge["uipath-prod"]` is an Adapter whose verbs wait until they are done."""

    def __init__(
        self,
        settings: Settings | Mapping[str, Any] | None = None,
        *,
        clock: Clock | None = None,
        random: Random | None = None,
        cache_dir: asynchronous.CacheDir = asynchronous.FROM_SETTINGS,
    ) -> None:
        self._serve(asynchronous.Bridge(settings, clock=clock, random=random, cache_dir=cache_dir))

    @classmethod
    def load(cls, path: str | Path | None = None, **options: Any) -> Self:
        return cls(load_settings(path), **options)

    @classmethod
    def from_runner_args(cls, argv: Sequence[str], **options: Any) -> Self:
        bridge = cls.__new__(cls)
        bridge._serve(asynchronous.Bridge.from_runner_args(argv, **options))  # noqa: SLF001 - its own
        return bridge

    def __getitem__(self, name: str) -> Any:
        return self._blocking.verb(self._bridge.__getitem__)(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._bridge)

    def __len__(self) -> int:
        return len(self._bridge)

    def __contains__(self, name: object) -> bool:
        return name in self._bridge

    def reconcile(self, op_id: str | None = None, *, on: str | None = None, forget: bool = False) -> Any:
        return self._blocking.verb(self._bridge.reconcile)(op_id, on=on, forget=forget)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *how_it_ended: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes every connection that was opened, and ends the thread."""
        atexit.unregister(self._close_at_exit)
        if self._blocking.closed:
            return
        try:
            self._blocking.run(lambda _call: self._bridge.aclose())
        finally:
            self._blocking.close()

    def _serve(self, bridge: asynchronous.Bridge) -> None:
        self._bridge = bridge
        self._blocking = Blocking(_face_of, STREAMING)
        atexit.register(self._close_at_exit)

    def _close_at_exit(self) -> None:
        with suppress(Exception):  # the interpreter ends, and what a connection needs to close may be gone already
            self.close()
