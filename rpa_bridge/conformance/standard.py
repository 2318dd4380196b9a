"""What makes a coroutine a standard test: the verbs it is about, and the rules that all standard tests share.

- Where the adapter has the verbs, the test plays; where it lacks some, the same test checks that these refuse.
- A marked test must fail. A standard test can neither be skipped, nor take for ever, nor leak a secret into a log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from rpa_bridge.errors import BridgeError

from .harness import Harness
from .stage import Stage

Play = Callable[[Any, Stage], Coroutine[Any, Any, None]]
BoundPlay = Callable[[Stage], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Standard:
    """One standard test."""

    id: str
    """Its name in `Harness.marks`, such as "queues.test_take_from_an_empty_queue_gives_none"."""
    verbs: tuple[str, ...]
    """The first is what it is about; the others, it needs to see."""


STANDARD: dict[str, Standard] = {}
"""All standard tests, by the name of their function."""


def requires(*verbs: str) -> Callable[[Play], Callable[..., None]]:
    """Makes a coroutine of a test class a standard test about these verbs, each as "noun.verb"."""

    def make(play: Play) -> Callable[..., None]:
        name = play.__name__
        noun = verbs[0].partition(".")[0]
        if name in STANDARD:
            raise TypeError(f"two standard tests are named {name}; one would hide the other: rename one")
        standard = STANDARD[name] = Standard(f"{noun}.{name}", verbs)

        def test(self: Any, caplog: pytest.LogCaptureFixture) -> None:
            __tracebackhide__ = True
            harness: Harness = self.harness()
            caplog.set_level(logging.DEBUG)
            _run_marked(standard, harness, partial(play, self))
            for secret in harness.secrets:
                assert secret not in caplog.text, "a secret stands in the log"

        test.__name__ = name
        test.__qualname__ = play.__qualname__
        test.__doc__ = play.__doc__
        test.__module__ = play.__module__
        return test

    return make


def _run_marked(standard: Standard, harness: Harness, play: BoundPlay) -> None:
    """Runs a standard test; where it is marked, it has to fail."""
    __tracebackhide__ = True
    mark = harness.marks.get(standard.id)
    try:
        asyncio.run(_perform(standard, harness, play))
    except pytest.skip.Exception as skipped:
        pytest.fail(f"a standard test cannot be skipped ({skipped}); mark it in the harness, with the reason")
    except (AssertionError, BridgeError, pytest.fail.Exception) as failure:
        if mark is None:
            raise
        pytest.xfail(f"{mark} ({type(failure).__name__})")
        raise  # with --runxfail, the line above does nothing
    if mark is not None:
        pytest.fail(f"{standard.id} is marked {mark.word} ({mark.reason}), and passes: take the mark away")


async def _perform(standard: Standard, harness: Harness, play: BoundPlay) -> None:
    __tracebackhide__ = True
    try:
        async with asyncio.timeout(harness.patience), harness.open() as adapter:
            stage = Stage(adapter, harness)
            missing = [verb for verb in standard.verbs if not stage.offers(verb)]
            for verb in missing:
                await stage.check_refusal(verb)
            if not missing:
                await play(stage)
    except TimeoutError:
        pytest.fail(f"{standard.id} took longer than {harness.patience:g} seconds")
