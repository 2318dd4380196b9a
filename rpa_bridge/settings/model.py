"""The settings as a whole, and one connection's part of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    from rpa_bridge.contract.adapter import AdapterSettings

    from .shapes import Shape

    S = TypeVar("S", bound=AdapterSettings)

CACHE_VARIABLE = "RPA_BRIDGE_CACHE_DIR"
DEFAULT_DOCUMENT = {"connections": {"local": {"adapter": "local"}}}
"""What holds where nobody has written settings."""
_KEYS = ("connections", "cache_dir", "control")
"""`control` is of no use here: it lets the file that `sandbox serve --ready-file` writes serve as settings."""


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
        from .shapes import Shape
        from .validation import validate

        shape = Shape.of(model)
        guard_secrets(self.values, self.origin, self._place, shape)
        values = Resolver(self.origin).resolve(self.values, self._place)
        return validate(model, values, shape, origin=self.origin, place=self._place)

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
class Settings:
    """All connections by name, where they were read, and where tokens are kept."""

    source: Path | None
    """The file; None for settings made in the program."""
    connections: Mapping[str, ConnectionSettings]
    cache_dir: Path | None
    """Where tokens and locks are shared with other processes; None keeps them in memory."""
    written_cache_dir: str | None = None

    @classmethod
    def of(cls, document: Any, origin: Origin = NOWHERE, *, environ: Mapping[str, str] = os.environ) -> Settings:
        """The settings that a document of the file's shape stands for. Raises ConfigError."""
        document = map_leaves(document, lambda _place, leaf: leaf)
        _check_outline(document, origin)
        connections = {name: _connection(name, given, origin) for name, given in document["connections"].items()}
        written = document.get("cache_dir")
        return cls(origin.source, MappingProxyType(connections), _cache_dir(document, origin, environ), written)

    def masked(self) -> dict[str, Any]:
        """The document as it may be shown: references as written, secrets in clear as `***`."""
        cache = {} if self.written_cache_dir is None else {"cache_dir": self.written_cache_dir}
        return {"connections": {name: one.masked() for name, one in self.connections.items()}, **cache}


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
