"""One script, with only the connection's name changed, on every platform that has its verbs.

The platforms are the sandbox's two, over HTTP, and the local one on a file. Which verbs they share is read off the
adapters: a verb that becomes shared later makes a test fail until a script uses it.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from itertools import combinations
from pathlib import Path
from typing import Any, cast

import pytest

from rpa_bridge import Adapter, Bridge
from rpa_bridge.contract.adapter import SERVICES
from rpa_bridge.contract.features import Service
from rpa_bridge.sandbox.server import Sandbox
from tests.user.scripts import on_all, on_two
from tests.user.scripts.script import Script

EVERYWHERE = ("local", "uipath", "botmaestro")
SCRIPTS: dict[tuple[tuple[str, ...], str], Script] = {
    **{(EVERYWHERE, noun): script for noun, script in on_all.SCRIPTS.items()},
    **{(names, noun): script for names, scripts in on_two.SCRIPTS.items() for noun, script in scripts.items()},
}
"""By the platforms that they run on, and the noun whose verbs they use."""

ECHO = """
import os, sys
given = sys.stdin.read()
open(os.environ["RPA_BRIDGE_JOB_OUTPUT"], "w").write(given)
print("given", given)
"""
SLOW = "import time; time.sleep(5)"
"""It is stopped, or reported from elsewhere, before its end."""
LOOKS = 6
"""A job of the sandbox runs from the third look at it to the sixth, so that it can be met on its way."""


@pytest.fixture
async def platforms(tmp_path: Path) -> AsyncIterator[Bridge]:
    """One bridge to all three, on the machine's own clock: a local job is a process, which takes its time."""
    async with Sandbox(EVERYWHERE[1:]) as sandbox:
        sandbox.world.lifecycle.looks = LOOKS
        connections = {**sandbox.connections, "local": local(tmp_path / "local.db")}
        keys = sandbox.dump()["faces"]["uipath"]["tables"]["robot keys"]  # UiPath reveals secrets to robots only
        connections["uipath"]["robot_key"] = next(iter(keys.values()))["Key"]
        async with Bridge({"connections": connections}, cache_dir=tmp_path / "cache") as bridge:
            yield bridge


def local(path: Path) -> dict[str, Any]:
    """Settings of a local platform that has what the sandbox's platforms are born with."""
    month = {"type": "text"}
    return {
        "adapter": "local",
        "path": str(path),
        "automations": {
            "Invoices": {
                "command": [sys.executable, "-I", "-S", "-c", ECHO],
                "inputs": {"month": month},
                "outputs": {"month": month},
            },
            "Letters": {"command": [sys.executable, "-I", "-S", "-c", SLOW]},
        },
        "schedules": {"Invoices every morning": {"automation": "Invoices", "cron": "0 6 * * 1-5"}},
    }


def verbs(platform: Adapter) -> set[str]:
    """Every verb of the platform as "noun.verb": what each noun has, and the optional ones that are offered here."""
    return {
        f"{noun.noun}.{name}"
        for noun in SERVICES
        if not getattr(platform, noun.noun).is_absent
        for name, method in vars(noun).items()
        if callable(method) and not name.startswith("_")
        if not hasattr(method, "__feature__") or method.__feature__ in platform.capabilities
    }


def shared(platforms: Bridge, names: tuple[str, ...]) -> set[str]:
    """The verbs that these platforms have, and no other."""
    having = set.intersection(*(verbs(platforms[name]) for name in names))
    return having.difference(*(verbs(platforms[name]) for name in EVERYWHERE if name not in names))


class Watched:
    """An adapter, or one of its nouns, that keeps a note of every verb that it is asked for."""

    def __init__(self, watched: Adapter | Service, used: set[str]) -> None:
        self._watched, self._used = watched, used

    def __getattr__(self, name: str) -> Any:
        part = getattr(self._watched, name)
        if isinstance(part, Service):
            return Watched(part, self._used)
        if isinstance(self._watched, Service):
            self._used.add(f"{self._watched.noun}.{name}")
        return part


@pytest.mark.parametrize(("names", "noun"), SCRIPTS, ids=lambda part: part if isinstance(part, str) else "+".join(part))
async def test_a_script_sees_the_same_on_every_platform_and_uses_all_that_they_share(
    platforms: Bridge, names: tuple[str, ...], noun: str
) -> None:
    script = SCRIPTS[names, noun]
    used: set[str] = set()

    for name in names:
        seen = await script.run(cast("Adapter", Watched(platforms[name], used)))
        assert seen == script.facts_on(name), name

    unused = {verb for verb in shared(platforms, names) if verb.startswith(f"{noun}.")} - used
    assert not unused, f"{' and '.join(names)} share these now; let their script of {noun} use them"


async def test_whatever_platforms_share_has_a_script(platforms: Bridge) -> None:
    groups = [group for size in (2, 3) for group in combinations(EVERYWHERE, size)]

    needed = {(group, verb.partition(".")[0]) for group in groups for verb in shared(platforms, group)}

    assert needed == set(SCRIPTS), "a script for what they share, and none for what they do not"


def test_a_difference_is_one_and_has_a_reason() -> None:
    for (names, noun), script in SCRIPTS.items():
        for name, difference in script.but.items():
            assert name in names, noun
            assert difference.reason
            assert all(script.facts[fact] != told for fact, told in difference.facts.items()), (noun, name)
