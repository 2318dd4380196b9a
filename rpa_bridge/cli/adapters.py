"""`rpa-bridge adapters`: which platforms this installation speaks to, and what they can do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from .commands import Command, examples
from .state import Output, current_state

if TYPE_CHECKING:
    from rpa_bridge.contract.adapter import Adapter
    from rpa_bridge.contract.features import Feature, Service


@click.command(cls=Command, epilog=examples("rpa-bridge adapters", "rpa-bridge adapters --features"))
@click.option("--features", is_flag=True, help="Load them, and compare what they can do.")
def adapters(features: bool) -> None:
    """Shows which platforms this installation speaks to."""
    from rpa_bridge.registry import HOW_TO_GET, installed

    from .render import note, show_rows

    found = installed()
    output = current_state().output
    if not found:
        note(f"no adapter is installed; {HOW_TO_GET}")
    if features:
        _show_features(list(dict.fromkeys(one.name for one in found)), output)
    elif found or output is not Output.TABLE:
        show_rows([asdict(one) for one in found], ("name", "package", "version"), output)


def _show_features(names: list[str], output: Output) -> None:
    from rpa_bridge.contract.features import Feature
    from rpa_bridge.registry import load_adapter

    from .render import show_rows

    loaded = {name: load_adapter(name) for name in names}
    offered = {name: features_offered(adapter) for name, adapter in loaded.items()}
    rows: list[dict[str, Any]]
    if output is Output.TABLE:
        rows = [{"feature": one, **{name: one in offered[name] for name in names}} for one in Feature]
        show_rows(rows, ("feature", *names), output)
    else:
        rows = [
            {"name": name, "title": adapter.info.title, "features": sorted(offered[name]), "limits": _limits(adapter)}
            for name, adapter in loaded.items()
        ]
        show_rows(rows, (), output)


def _limits(adapter: type[Adapter]) -> dict[str, Any]:
    return {name: _ordered(value) for name, value in asdict(adapter.info.limits).items()}


def _ordered(value: Any) -> Any:
    """Sets as lists that are the same every time."""
    if isinstance(value, frozenset):
        return sorted(value)
    return [_ordered(one) for one in value] if isinstance(value, tuple) else value


def features_offered(adapter: type[Adapter]) -> frozenset[Feature]:
    """The optional verbs that the services of the adapter's package implement; nothing is opened."""
    from rpa_bridge.contract.features import features_of

    package = adapter.__module__.partition(".")[0]
    return frozenset(feature for service in _services_of(package) for feature in features_of(service))


def _services_of(package: str) -> Iterator[type[Service]]:
    from rpa_bridge.contract.features import Service

    waiting: list[type[Service]] = [Service]
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        if one.__module__.partition(".")[0] == package:
            yield one
