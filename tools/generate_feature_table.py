"""Writes the table of nouns and verbs into README.md, read off the adapters' code.

python tools/generate_feature_table.py            # rewrites README.md
python tools/generate_feature_table.py --check    # exits 1 when it is not current
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rpa_bridge import Adapter, Bridge
from rpa_bridge.contract.adapter import SERVICES
from rpa_bridge.contract.features import Service, features_of

README = Path(__file__).parents[1] / "README.md"
HEAD = "<!-- features: made by tools/generate_feature_table.py -->"
END = "<!-- end of features -->"

CONNECTIONS: dict[str, dict[str, Any]] = {
    "local": {"adapter": "local", "path": ":memory:"},
    "uipath": {
        "adapter": "uipath",
        "url": "https://cloud.uipath.com/acme/default/orchestrator_",
        "auth": {"type": "client_credentials", "client_id": "nobody", "client_secret": "no secret"},
    },
    "botmaestro": {"adapter": "botmaestro", "server": "https://acme.botcity.dev", "login": "nobody", "key": "no key"},
}
"""Opening a connection sends nothing, so that these addresses are never spoken to."""


def required_verbs(noun: type[Service]) -> list[str]:
    """The verbs that everybody who has the noun must have, in the contract's order."""
    abstract: frozenset[str] = getattr(noun, "__abstractmethods__", frozenset())
    return [name for name in vars(noun) if name in abstract]


def optional_verbs(noun: type[Service]) -> dict[str, str]:
    """The other verbs, and the feature of each, in the contract's order."""
    return {name: method.__feature__ for name, method in vars(noun).items() if hasattr(method, "__feature__")}


def cell(adapter: Adapter, noun: type[Service]) -> str:
    """What one platform can do with one noun."""
    service: Service = getattr(adapter, noun.noun)
    if service.is_absent:
        return "–"
    here = features_of(type(service))
    verbs = [*required_verbs(noun), *(name for name, feature in optional_verbs(noun).items() if feature in here)]
    return ", ".join(verbs)


def table() -> str:
    """The table in Markdown."""
    bridge = Bridge({"connections": CONNECTIONS}, cache_dir=None)
    adapters = {name: bridge[name] for name in bridge}
    lines = [f"| | {' | '.join(adapters)} |", f"|---|{'---|' * len(adapters)}"]
    for noun in SERVICES:
        cells = " | ".join(cell(adapter, noun) for adapter in adapters.values())
        lines.append(f"| **{noun.noun}** | {cells} |")
    return "\n".join(lines)


def with_table(text: str) -> str:
    """The README with the table as it is now."""
    before, _, rest = text.partition(HEAD)
    _, _, after = rest.partition(END)
    return f"{before}{HEAD}\n{table()}\n{END}{after}"


def main(arguments: list[str]) -> int:
    """Exit code 0, or 1 when `--check` finds an old table."""
    text = README.read_text(encoding="utf-8")
    current = with_table(text)
    if "--check" in arguments:
        return 0 if text == current else 1
    README.write_text(current, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
