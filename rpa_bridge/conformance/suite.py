"""The one class that an adapter's author subclasses. It guards itself: whoever weakens it makes it red."""

from __future__ import annotations

import asyncio
from difflib import get_close_matches
from typing import Any, ClassVar

import pytest

from rpa_bridge.contract.adapter import SERVICES

from .adapter import AdapterTests
from .alerts import AlertTests
from .artifacts import ArtifactTests
from .assets import AssetTests
from .automations import AutomationTests
from .credentials import CredentialTests
from .folders import FolderTests
from .harness import Harness
from .incidents import IncidentTests
from .item_lists import ItemListTests
from .items import ItemTests
from .jobs import JobTests
from .limits import LimitTests
from .logs import LogTests
from .messages import MessageTests
from .queues import QueueTests
from .robots import RobotTests
from .schedules import ScheduleTests
from .standard import STANDARD
from .starts import StartTests
from .webhooks import WebhookTests

NOUNS = frozenset(noun.noun for noun in SERVICES)
_SILENCERS = ("skip", "skipif", "xfail")


class ConformanceSuite(
    AdapterTests,
    AutomationTests,
    StartTests,
    JobTests,
    QueueTests,
    ItemTests,
    ItemListTests,
    LimitTests,
    AssetTests,
    CredentialTests,
    ArtifactTests,
    RobotTests,
    LogTests,
    AlertTests,
    IncidentTests,
    MessageTests,
    FolderTests,
    ScheduleTests,
    WebhookTests,
):
    """All standard tests. Subclass it, set `harness`, and add nothing that it already has."""

    harness: ClassVar[type[Harness]]

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        _check_harness(cls)
        _check_nothing_is_hidden(cls)

    def test_all_standard_tests_are_collected_and_run(self, request: pytest.FixtureRequest) -> None:
        """Counts what pytest is about to run; deselected, replaced and silenced tests are missing."""
        collected = {item.name: item for item in request.session.items if getattr(item, "cls", None) is type(self)}
        missing = sorted(STANDARD.keys() - collected.keys())
        assert not missing, f"{len(missing)} standard tests are not collected (run the whole class): {missing}"
        for name in STANDARD:
            silenced = [word for word in _SILENCERS if collected[name].get_closest_marker(word)]
            assert not silenced, f"{name} is silenced by pytest's {silenced[0]}; use the harness's marks"
        _check_nothing_is_hidden(type(self))

    def test_every_absent_noun_has_a_reason(self) -> None:
        """A noun is there, or the harness says why it is not: a service that was forgotten is no silent skip."""
        marks = self.harness.marks
        for noun, absent in asyncio.run(_absences(self.harness())).items():
            assert absent or noun not in marks, f"{noun} is there, and marked {marks[noun]}: take the mark away"
            assert not absent or noun in marks, f'{noun} is absent; say why: marks = {{"{noun}": never("...")}}'


_TESTS = {name: getattr(ConformanceSuite, name) for name in dir(ConformanceSuite) if name.startswith("test_")}


async def _absences(harness: Harness) -> dict[str, bool]:
    async with harness.open() as adapter:
        return {service.noun: service.is_absent for service in adapter.services}


def _check_harness(suite: type[ConformanceSuite]) -> None:
    harness = getattr(suite, "harness", None)
    if not (isinstance(harness, type) and issubclass(harness, Harness)):
        raise TypeError(f"{suite.__name__} needs a line `harness = YourHarness`, with a subclass of Harness")
    known = NOUNS | {standard.id for standard in STANDARD.values()}
    for name in sorted(harness.marks.keys() - known):
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise TypeError(f"{harness.__name__} marks {name!r}, which is neither a standard test nor a noun{hint}")


def _check_nothing_is_hidden(suite: type[ConformanceSuite]) -> None:
    for name, function in _TESTS.items():
        if getattr(suite, name, None) is not function:
            raise TypeError(f"{suite.__name__} hides the standard test {name}; remove that, and mark the test instead")
    if getattr(suite, "pytestmark", None):
        raise TypeError(f"{suite.__name__} sets pytestmark; remove it, and mark single tests in the harness instead")
