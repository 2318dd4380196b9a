"""The settings as a whole, and one connection's part of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import platformdirs

from rpa_bridge import registry
from rpa_bridge.errors import AdapterLoadError, ConfigError

from .documents import NOWHERE, Origin, expanded, find_settings, read_document
from .flat import is_flat
from .places import Place, did_you_mean, map_leaves
from .references import Resolver
from .secrecy import guard_secrets, masked

if TYPE_CHECKING:
    from pydantic import BaseModel

    from rpa_bridge.auth.caching import CacheOptions

    from .shapes import Shape

    S = TypeVar("S", bound=BaseModel)

CACHE_VARIABLE = "RPA_BRIDGE_CACHE_DIR"
DEFAULT_DOCUMENT = {"connections": {"local": {"adapter": "local"}}}
"""What holds where nobody has written settings."""
_CACHE: Place = ("cache",)
_OUTBOX: Place = ("outbox",)
_KEYS = ("connections", "cache_dir", "cache", "outbox", "control")
"""`control` is of no use here: it lets the file that `sandbox serve --ready-file` writes serve as settings."""


class OutboxKind(StrEnum):
    """Whether effects are written down before they are sent."""

    ON = "on"
    """Outlasts the end of the process."""
    DURABLE = "durable"
    """Outlasts a power cut too: each effect waits for the disk twice."""
    OFF = "off"


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """One connection as written. References are expanded when it is opened, so that a missing one harms no other."""

    name: str
    adapter: str
    values: Mapping[str, Any] = field(repr=False)
    """The adapter's own keys."""
    origin: Origin = field(default=NOWHERE, repr=False)

    def validated(self, model: type[S]) -> S:
        """The adapter's settings, with every reference expanded. Raises ConfigError; no value is ever shown."""
        return _validated(model, self.values, self.origin, self._place)

    def masked(self) -> dict[str, Any]:
        """What may be shown: references as written, secrets as `***`, and all values so if the adapter is missing."""
        return {"adapter": self.adapter, **masked(self.values, self._shape())}

    @property
    def _place(self) -> Place:
        return ("connections", self.name)

    def _shape(self) -> Shape | None:
        from .shapes import Shape

        try:
            return Shape.of(registry.load_adapter(self.adapter).settings_model)
        except AdapterLoadError:
            return None


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """How tokens are kept, as written. References are expanded when the first connection is opened."""

    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    origin: Origin = field(default=NOWHERE, repr=False)

    def validated(self) -> CacheOptions:
        """The options, with every reference expanded. Raises ConfigError; no value is ever shown."""
        from rpa_bridge.auth.caching import CacheOptions

        return _validated(CacheOptions, self.values, self.origin, _CACHE)

    def masked(self) -> dict[str, Any]:
        """What may be shown: references as written, secrets as `***`."""
        from rpa_bridge.auth.caching import CacheOptions

        from .shapes import Shape

        return masked(self.values, Shape.of(CacheOptions))


@dataclass(frozen=True, slots=True)
class Settings:
    """All connections by name, where they were read, and where tokens are kept."""

    source: Path | None
    """The file; None for settings made in the program."""
    connections: Mapping[str, ConnectionSettings]
    cache_dir: Path | None
    """Where tokens and locks are shared with other processes; None keeps them in memory."""
    written_cache_dir: str | None = None
    cache: CacheSettings = field(default_factory=CacheSettings)
    state_dir: Path | None = None
    """Where the outbox is; None keeps none. Beside the user's cache, which people empty, or in a folder they named."""
    outbox: OutboxKind = OutboxKind.ON

    @classmethod
    def of(cls, document: Any, origin: Origin = NOWHERE, *, environ: Mapping[str, str] = os.environ) -> Settings:
        """The settings that a document of the file's shape stands for. Raises ConfigError."""
        document = map_leaves(document, lambda _place, leaf: leaf)
        _check_outline(document, origin)
        connections = {name: _connection(name, given, origin) for name, given in document["connections"].items()}
        written = document.get("cache_dir")
        folder, cache = _cache_dir(document, origin, environ), _cache(document, origin)
        named = "cache_dir" in document or bool(environ.get(CACHE_VARIABLE))
        state = state_dir_of(folder) if named else Path(platformdirs.user_state_dir("rpa-bridge"))
        outbox = _outbox(document, origin, environ)
        return cls(origin.source, MappingProxyType(connections), folder, written, cache, state, outbox)

    def masked(self) -> dict[str, Any]:
        """The document as it may be shown: references as written, secrets in clear as `***`."""
        cache: dict[str, Any] = {} if self.written_cache_dir is None else {"cache_dir": self.written_cache_dir}
        cache |= {"cache": self.cache.masked()} if self.cache.values else {}
        cache |= {} if self.outbox is OutboxKind.ON else {"outbox": self.outbox.value}
        return {"connections": {name: one.masked() for name, one in self.connections.items()}, **cache}


def state_dir_of(cache_dir: Path | None) -> Path | None:
    """Where the outbox is when somebody named the cache folder; None where nothing is shared with other processes."""
    return None if cache_dir is None else cache_dir / "state"


def load_settings(path: str | Path | None = None) -> Settings:
    """The settings of the file that `find_settings` finds, or one connection `local` when there is none.

    Raises ConfigError, naming the mend, for a file that is missing, broken, or holds secrets that others can read.
    """
    found = find_settings(path)
    if found is None:
        return Settings.of(DEFAULT_DOCUMENT)
    document, origin = read_document(found)
    return Settings.of(document, origin)


def _check_outline(document: Any, origin: Origin) -> None:
    where = str(origin.source or "the mapping given")
    if not isinstance(document, dict):
        raise ConfigError(f'{where} must be an object: {{"connections": {{"NAME": {{"adapter": ...}}}}}}')
    if is_flat(document):
        raise ConfigError(
            f"{where} is of the flat kind that UiPath's Python community uses; "
            f"run rpa-bridge settings convert {origin.source or 'OLD'} NEW"
        )
    for key in document:
        if key not in _KEYS:
            raise ConfigError(f"{where} has a key that is not known, {key!r}{did_you_mean(str(key), _KEYS)}")
    connections = document.get("connections")
    if not isinstance(connections, dict) or not connections:
        raise ConfigError(
            f'{where} must name at least one connection: {{"connections": {{"NAME": {{"adapter": ...}}}}}}'
        )


def _connection(name: Any, given: Any, origin: Origin) -> ConnectionSettings:
    if not (isinstance(name, str) and name.strip() and name.isprintable()):
        raise ConfigError(f"{origin.at(('connections',))} has the name {name!r}; use letters, digits and dashes")
    place = ("connections", name)
    if not isinstance(given, dict):
        raise ConfigError(f"{origin.at(place)} must be an object with the key 'adapter'")
    adapter = given.pop("adapter", None)
    if not isinstance(adapter, str) or not adapter:
        misspelt = next((key for key in given if did_you_mean(str(key), ["adapter"])), None)
        mend = f"rename {misspelt!r} to 'adapter'" if misspelt else 'write "adapter": "uipath", for one'
        raise ConfigError(f"{origin.at(place)} does not name its adapter; {mend}")
    guard_secrets(given, origin, place)
    return ConnectionSettings(name, adapter, MappingProxyType(given), origin)


def _cache_dir(document: dict[str, Any], origin: Origin, environ: Mapping[str, str]) -> Path | None:
    override = environ.get(CACHE_VARIABLE)
    if override:
        return Path(override).absolute()
    if "cache_dir" not in document:
        return Path(platformdirs.user_cache_dir("rpa-bridge"))
    written = document["cache_dir"]
    if written is None:
        return None
    if not isinstance(written, str) or not written:
        raise ConfigError(f"{origin.at(('cache_dir',))} must be a path, or null to keep tokens in memory")
    return origin.folder / expanded(Resolver(origin, environ).resolve(written, ("cache_dir",)))


def _cache(document: dict[str, Any], origin: Origin) -> CacheSettings:
    given = document.get("cache", {})
    if not isinstance(given, dict):
        raise ConfigError(f'{origin.at(_CACHE)} must be an object such as {{"encryption": "auto"}}')
    guard_secrets(given, origin, _CACHE)
    return CacheSettings(MappingProxyType(given), origin)


def _outbox(document: dict[str, Any], origin: Origin, environ: Mapping[str, str]) -> OutboxKind:
    written = document.get("outbox", OutboxKind.ON.value)
    try:
        return OutboxKind(Resolver(origin, environ).resolve(written, _OUTBOX) if isinstance(written, str) else written)
    except ValueError:
        raise ConfigError(f"{origin.at(_OUTBOX)} must be one of {', '.join(OutboxKind)}") from None


def _validated(model: type[S], given: Mapping[str, Any], origin: Origin, place: Place) -> S:
    from .shapes import Shape
    from .validation import validate

    def guard() -> None:
        guard_secrets(given, origin, place, Shape.of(model))

    if origin.exposure is not None:
        guard()
    try:
        return validate(model, Resolver(origin).resolve(given, place), origin=origin, place=place)
    except Exception:
        guard()  # only here: the shape takes longer than all the rest, and what is valid has told its secrets itself
        raise
