"""A harness for adapters whose vendor has a face in the sandbox: most of it is done here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from rpa_bridge.bridge import Bridge
from rpa_bridge.contract.adapter import Adapter
from rpa_bridge.contract.jobs import JobState
from rpa_bridge.sandbox.lifecycle import Ending
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import World

from .harness import AheadClock, Harness

LOOKS = 20
"""A job that is held runs from the tenth look at it to the twentieth."""


class SandboxHarness(Harness):
    """An adapter on the sandbox, over real HTTP on loopback. Requests are counted where they arrive.

    Time passes on both sides at once: tokens expire for the adapter when they do for the sandbox.
    """

    face: str
    """The name of the sandbox's face; its connection of this name is the one that is opened."""
    poll = 0.01

    def __init__(self) -> None:
        self.clock: AheadClock = AheadClock()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Adapter]:
        async with Sandbox([self.face]) as sandbox:
            self.world: World = sandbox.world
            self.prepare(sandbox)
            settings = {"connections": {self.face: self.settings(sandbox)}}
            async with Bridge(settings, clock=self.clock, cache_dir=None) as bridge:
                yield bridge[self.face]

    def settings(self, sandbox: Sandbox) -> dict[str, Any]:
        """The settings of the connection. Extend it where the adapter can do more with more."""
        return sandbox.connections[self.face]

    def prepare(self, sandbox: Sandbox) -> None:
        """Makes the failing automation fail. Extend it to set the face's switches."""
        if self.failing_automation is not None:
            ending = Ending(outcome="failed", message="it is broken")
            sandbox.world.lifecycle.endings[self.failing_automation] = ending

    def sent(self) -> int:
        return self.world.counters.get("exchange", 0)

    def now(self) -> datetime:
        return self.world.clock.now()

    def advance(self, seconds: float) -> None:
        self.world.clock.advance(seconds)
        self.clock.advance(seconds)

    def hold(self, state: JobState) -> str:
        if state is JobState.PENDING:
            self.world.lifecycle.hold = True
        elif state is JobState.RUNNING:
            self.world.lifecycle.looks = LOOKS
        else:
            return super().hold(state)
        assert self.automation is not None, "the harness names no automation; name one"
        return self.automation
