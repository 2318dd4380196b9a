"""Token caches that share a store, walked at random beside a model of them. From row 23 of the reliability targets.

The model knows less than the caches do: only what is certain. A token counts as known to a process while it surely is,
and as fresh while it is for every share of the time to renew in. Within that, all must come as the model says.
"""

from __future__ import annotations

import asyncio
import logging
import random
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from rpa_bridge.auth.file_store import FileStore
from rpa_bridge.auth.records import Record
from rpa_bridge.auth.stores import KeyLock
from rpa_bridge.auth.token import Token, token_from
from rpa_bridge.auth.tokens import TokenCache
from rpa_bridge.errors import AuthError, Delivery, RemoteError, UnavailableError
from rpa_bridge.testing import ManualClock

from .token_platform import GOOD
from .token_worker import NoLock, key_of

KEY = key_of("https://example.test", GOOD)
PROCESSES = 3
WHO = st.integers(0, PROCESSES - 1)
YOUNG = 5.0
"""Seconds for which a refused token is kept all the same: the next one would be refused as well."""
REFUSED_FOR, AT_MOST = 60.0, 900.0
"""Seconds for which nobody asks again after the platform refused the secret; twice as long each time."""
MOST_RENEWALS, WITHIN = 3, 300.0
"""So often a token is renewed because the platform does not take it, in so many seconds."""
ATTEMPTS = 3

Mode = Literal["well", "down", "refuses"]


class Files(FileStore):
    """Files that are written at once and on no thread, so that a walk repeats."""

    async def save(self, name: str, record: Record) -> None:
        self._write(name, record)


class FilesWithoutLocks(Files):
    """A control."""

    def lock(self, name: str) -> KeyLock:
        return NoLock()


@dataclass(slots=True)
class Issued:
    """A token that the platform gave."""

    value: str
    born: float
    withdrawn: bool = False


class Platform:
    """Gives tokens, or does not; and knows them all."""

    def __init__(self, clock: ManualClock, lifetime: float) -> None:
        self._clock, self._lifetime = clock, lifetime
        self.mode: Mode = "well"
        self.asked = 0
        self.issued: list[Issued] = []

    async def fetch(self) -> Token:
        self.asked += 1
        born, sent_at = self._clock.monotonic(), self._clock.now()
        await asyncio.sleep(0)
        if self.mode == "down":
            raise UnavailableError("down", delivery=Delivery.MAYBE)
        if self.mode == "refuses":
            raise AuthError("no", status=401, code="invalid_client", delivery=Delivery.REFUSED)
        self.issued.append(Issued(f"token-number-{len(self.issued)}", born))
        return token_from(
            self.issued[-1].value,
            lifetime=None,
            default_lifetime=self._lifetime,
            sent_at=sent_at,
            sent_monotonic=born,
        )


class Process:
    """One of those that share the store, and what it surely knows."""

    def __init__(self, folder: Path, platform: Platform, clock: ManualClock, *, guard: bool) -> None:
        store = (Files if guard else FilesWithoutLocks)(folder, clock)
        self.cache = TokenCache(platform, KEY, clock, store, random.Random(7))  # noqa: S311 - the same in each walk
        self.holds: Issued | None = None
        self.rejected: set[str] = set()


class TokenMachine(RuleBasedStateMachine):
    """Processes that work, start and are told that their tokens are no good."""

    def __init__(self, *, guard: bool = True) -> None:
        super().__init__()
        self._guard = guard
        self._runner, self._clock, self._all = asyncio.Runner(), ManualClock(), ExitStack()
        self._folder = Path(self._all.enter_context(tempfile.TemporaryDirectory())) / "tokens"
        # what fails is meant to, and so are damaged files
        self._all.enter_context(patch.object(logging.getLogger("rpa_bridge.auth"), "disabled", new=True))
        self._kept: Issued | None = None
        """What the store surely holds."""
        self._refusals = 0
        """In a row."""
        self._refused_until = self._refused_at_most_until = 0.0
        self._renewed: list[float] = []
        """When it may have been renewed because it was not taken."""

    def teardown(self) -> None:
        for one in self._processes:
            self._runner.run(one.cache.aclose())
        self._runner.close()
        self._all.close()

    @initialize(lifetime=st.sampled_from([60.0, 3600.0, 86_400.0]))
    def begin(self, lifetime: float) -> None:
        self._lifetime = lifetime
        self._platform = Platform(self._clock, lifetime)
        self._processes = [self._process() for _ in range(PROCESSES)]

    @rule(who=WHO)
    def get(self, who: int) -> None:
        self._get(self._processes[who])

    @rule()
    def get_together(self) -> None:
        """All at once: the platform is asked for one token, if at all."""
        needless = self._is_refused() or all(self._is_fresh(self._known(one)) for one in self._processes)
        before, now = self._platform.asked, self._clock.monotonic()
        self._runner.run(self._together())
        asked = self._platform.asked - before
        assert not (asked and needless), "asked without need, or too soon"
        assert asked <= (ATTEMPTS * PROCESSES if self._platform.mode == "down" else 1)
        self._note(asked, now)
        for one in self._processes:
            one.holds = None

    async def _together(self) -> None:
        found = await asyncio.gather(*(one.cache.get() for one in self._processes), return_exceptions=True)
        await _settled()
        for one, end in zip(self._processes, found, strict=True):
            if isinstance(end, Token):
                self._check(one, self._issued(end))
            else:
                assert isinstance(end, RemoteError)

    @rule(who=WHO)
    def call(self, who: int) -> None:
        """Uses a token, and once more another one if the platform does not take it."""
        process = self._processes[who]
        used = self._get(process)
        if used is None or not used.withdrawn:
            return
        self._runner.run(process.cache.reject(self._token_of(used)))
        if self._clock.monotonic() - used.born < YOUNG:
            return
        process.rejected.add(used.value)
        process.holds = None
        if self._kept is used:
            self._kept = None
        before = self._platform.asked
        self._get(process)
        if self._platform.asked > before:
            self._renewed.append(self._clock.monotonic())

    @rule()
    def withdraw(self) -> None:
        for one in self._platform.issued:
            one.withdrawn = True

    @rule(mode=st.sampled_from(["well", "well", "down", "refuses"]))
    def turn(self, mode: Mode) -> None:
        self._platform.mode = mode

    @rule(lives=st.sampled_from([0.001, 0.1, 0.3, 0.5, 0.7, 0.96, 1.0]))
    def wait(self, lives: float) -> None:
        self._clock.advance(self._lifetime * lives)

    @rule(seconds=st.sampled_from([1.0, 6.0, 61.0, 301.0]))
    def wait_a_little(self, seconds: float) -> None:
        self._clock.advance(seconds)

    @rule(who=WHO)
    def start_anew(self, who: int) -> None:
        """The process ends, and another one begins with what is in the store."""
        self._runner.run(self._processes[who].cache.aclose())
        self._processes[who] = self._process()

    @rule(who=WHO)
    def forget(self, who: int) -> None:
        """As `rpa-bridge auth clear` does."""
        self._runner.run(self._processes[who].cache.forget())
        self._processes[who].holds = None
        self._processes[who].rejected.clear()
        self._store_is_empty()

    @rule(content=st.sampled_from([b"", b"{", b"\x00" * 99, b'{"version": 2}']))
    def damage(self, content: bytes) -> None:
        for path in self._folder.glob("*.json"):
            path.write_bytes(content)
        self._store_is_empty()

    def _get(self, process: Process) -> Issued | None:
        """Asks the process for a token, and compares what comes of it with what the model knows."""
        known, refused, before = self._known(process), self._is_refused(), self._platform.asked
        now, excuse = self._clock.monotonic(), self._refused_at_most_until
        used = self._runner.run(self._used(process))
        asked = self._platform.asked - before
        assert not (asked and (refused or self._is_fresh(known))), "asked without need, or too soon"
        assert asked <= (ATTEMPTS if self._platform.mode == "down" else 1)
        if used is None:
            assert not self._is_aging(known, now), "a token that is good was kept back"
            excused = now < excuse or self._platform.mode != "well" or self._has_renewed_often()
            assert excused, "no reason to give none"
        else:
            self._check(process, used)
        self._note(asked, now)
        process.holds = self._kept if asked and self._kept else used if self._is_fresh(used) else None
        return used

    async def _used(self, process: Process) -> Issued | None:
        try:
            token = await process.cache.get()
        except RemoteError:
            return None
        finally:
            await _settled()
        return self._issued(token)

    def _check(self, process: Process, used: Issued) -> None:
        assert self._clock.monotonic() - used.born < self._lifetime, "expired"
        assert used.value not in process.rejected, "refused before"

    def _note(self, asked: int, when: float) -> None:
        """What the platform answered is kept for all."""
        if asked and self._platform.mode == "well":
            self._kept, self._refusals = self._platform.issued[-1], 0
        if asked and self._platform.mode == "refuses":
            seconds = min(REFUSED_FOR * 2**self._refusals, AT_MOST)
            self._refusals += 1
            self._refused_until = when + seconds
            self._refused_at_most_until = self._clock.monotonic() + seconds

    def _known(self, process: Process) -> list[Issued]:
        """What it could serve."""
        return [one for one in (process.holds, self._kept) if one is not None and one.value not in process.rejected]

    def _is_fresh(self, known: list[Issued] | Issued | None) -> bool:
        """Whether nobody would renew it yet: it is before the leeway, and before the earliest time to renew in."""
        leeway, ahead = min(300.0, self._lifetime / 4), min(self._lifetime / 5, 900.0)
        return self._is_younger(known, self._lifetime - leeway - ahead, self._clock.monotonic())

    def _is_aging(self, known: list[Issued], now: float) -> bool:
        """Whether it can be served without waiting for another one."""
        return self._is_younger(known, self._lifetime - min(300.0, self._lifetime / 4), now)

    def _is_younger(self, known: list[Issued] | Issued | None, seconds: float, now: float) -> bool:
        those = known if isinstance(known, list) else [known]
        return any(one is not None and now - one.born < seconds for one in those)

    def _is_refused(self) -> bool:
        return self._clock.monotonic() < self._refused_until

    def _has_renewed_often(self) -> bool:
        now = self._clock.monotonic()
        return sum(now - WITHIN < moment for moment in self._renewed) >= MOST_RENEWALS

    def _store_is_empty(self) -> None:
        self._kept, self._refusals = None, 0
        self._refused_until = self._refused_at_most_until = 0.0

    def _process(self) -> Process:
        return Process(self._folder, self._platform, self._clock, guard=self._guard)

    def _issued(self, token: Token) -> Issued:
        """The platform's own word for it. Raises ValueError for one that it never gave."""
        [found] = [one for one in self._platform.issued if one.value == token.value.get_secret_value()]
        return found

    def _token_of(self, used: Issued) -> Token:
        sent_at = self._clock.now()
        return token_from(
            used.value, lifetime=None, default_lifetime=self._lifetime, sent_at=sent_at, sent_monotonic=used.born
        )


async def _settled() -> None:
    """Waits for renewals behind the caller's back."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others)
