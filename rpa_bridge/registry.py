"""Find plug-ins by name. Listing imports nothing; loading imports one; rivals are refused.

stevedore resolves two packages that claim one name silently to the last, and its managers import every plug-in;
hence the listing by importlib.metadata, and DriverManager for the one that was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from rpa_bridge.errors import AdapterLoadError

if TYPE_CHECKING:
    from rpa_bridge.contract.adapter import Adapter
    from rpa_bridge.sandbox.face import Face

ADAPTERS = "rpa_bridge.adapters"
SANDBOXES = "rpa_bridge.sandboxes"
HOW_TO_GET = (
    "pip install rpa-bridge-local, rpa-bridge-uipath or rpa-bridge-botmaestro "
    "(in a checkout: pip install -r requirements.txt)"
)


@dataclass(frozen=True, slots=True)
class Installed:
    """A plug-in that is installed, not yet imported."""

    name: str
    target: str
    package: str
    version: str


def installed(group: str = ADAPTERS) -> list[Installed]:
    """Every plug-in of the group on this machine, by name."""
    found = {
        Installed(one.name, one.value, one.dist.name, one.dist.version)
        for one in entry_points(group=group)
        if one.dist is not None
    }
    return sorted(found, key=lambda one: (one.name, one.package))


def load_adapter(name: str) -> type[Adapter]:
    """The adapter class behind a name. Raises AdapterLoadError with what is installed and how to get more."""
    from rpa_bridge.contract.adapter import CONTRACT, Adapter

    found = _load(ADAPTERS, "adapter", name)
    if not (isinstance(found, type) and issubclass(found, Adapter) and hasattr(found, "info")):
        raise AdapterLoadError(
            f"adapter {name!r} must be a subclass of rpa_bridge's Adapter with an info; tell its author"
        )
    if found.info.contract != CONTRACT:
        raise AdapterLoadError(
            f"adapter {name!r} is written for contract {found.info.contract}, this rpa-bridge has {CONTRACT}; "
            f"upgrade the older of the two"
        )
    return found


def load_face(name: str) -> type[Face]:
    """The sandbox's face of a vendor. Raises AdapterLoadError with what is installed."""
    from rpa_bridge.sandbox.face import Face

    found = _load(SANDBOXES, "sandbox", name)
    if not (isinstance(found, type) and issubclass(found, Face)):
        raise AdapterLoadError(f"sandbox {name!r} must be a subclass of rpa_bridge's Face; tell its author")
    return found


def _load(group: str, kind: str, name: str) -> Any:
    from stevedore.driver import DriverManager
    from stevedore.extension import ExtensionManager

    all_installed = installed(group)
    claims = [one for one in all_installed if one.name == name]
    if not claims:
        names = sorted({one.name for one in all_installed})
        near = get_close_matches(name, names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        have = f"installed: {', '.join(names)}" if names else f"none is installed: {HOW_TO_GET}"
        raise AdapterLoadError(f"there is no {kind} named {name!r}; {have}.{hint}")
    if len(claims) > 1:
        rivals = " and ".join(one.package for one in claims)
        raise AdapterLoadError(f"the {kind} name {name!r} is claimed by {rivals}; uninstall one of them")
    # What was looked at is what is loaded: left to itself, stevedore writes a listing into the user's cache folder,
    # and may load from an old one.
    ExtensionManager.ENTRY_POINT_CACHE[group] = [EntryPoint(name, claims[0].target, group)]
    try:
        return DriverManager(group, name).driver
    except Exception as error:  # a plug-in may fail to import in any way; the caller gets one type
        raise AdapterLoadError(
            f"{kind} {name!r} of package {claims[0].package} {claims[0].version} cannot be loaded "
            f"({type(error).__name__}: {error}); reinstall it or ask its author"
        ) from error
