"""Migrations carried out by processes that are killed and stopped: forks of one interpreter without threads.

`python -m tests.faults.migration_worker` reads one JSON object and writes another; see `migrations`.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable

from .migration_counts import Found
from .migration_deaths import crashed, killed
from .migration_journals import torn, zombies
from .migration_memory import streamed

HARNESSES: tuple[Callable[[Found], Found], ...] = (killed, crashed, torn, zombies, streamed)
PRELOADED = (
    *(f"rpa_bridge_{name}.adapter" for name in ("botmaestro", "local", "uipath")),
    *("rpa_bridge.auth.file_store", "rpa_bridge.auth.caching", "rpa_bridge.transport.sqlite_outbox"),
    *("rpa_bridge.settings.validation", "stevedore.driver"),
)
"""What each life would import by itself, later and again."""


def main() -> int:
    order = json.load(sys.stdin)
    does = {one.__name__: one for one in HARNESSES}
    for name in PRELOADED:
        importlib.import_module(name)
    began = time.monotonic()
    found = does[order["what"]](order)
    json.dump(found | {"seconds": time.monotonic() - began}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
