"""The suite on itself: a true adapter is green, each broken one is red, and whoever weakens the suite is told so."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from rpa_bridge.conformance import ConformanceSuite, never
from rpa_bridge.conformance.refusals import CALLS
from rpa_bridge.conformance.standard import STANDARD, requires
from rpa_bridge.contract.adapter import SERVICES
from rpa_bridge.contract.features import Feature

pytest_plugins = ["pytester"]

HEAD = """
import dataclasses, inspect, os, pytest
from rpa_bridge.conformance import ConformanceSuite, never, notimpl, notyet
from rpa_bridge.conformance.standard import STANDARD
from rpa_bridge.conformance.refusals import CALLS
from rpa_bridge.contract.queues import QueueService, QueueStats
from rpa_bridge.errors import InvalidError, UnsupportedError
from memory import *
"""
PLAIN = """
class TestMemory(ConformanceSuite):
    harness = MemoryHarness
"""
WITH_QUEUES = """
class BrokenAdapter(MemoryAdapter):
    queues_class = BrokenQueues
class BrokenHarness(MemoryHarness):
    adapter_class = BrokenAdapter
class TestMemory(ConformanceSuite):
    harness = BrokenHarness
"""
WITH_JOBS = WITH_QUEUES.replace("queues_class = BrokenQueues", "jobs_class = BrokenJobs")
VERBS = {
    f"{noun.noun}.{name}"
    for noun in SERVICES
    for name, method in inspect.getmembers(noun, inspect.isfunction)
    if not name.startswith(("_", "check_"))  # a check is part of the verb whose input it looks at
}


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(memory=Path(__file__).with_name("memory.py").read_text(encoding="utf-8"))
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    pytester.syspathinsert()
    return Run(pytester)


class Run:
    """Plays the suite on a variant of the reference adapter."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester

    def __call__(self, source: str, *only: str, conftest: str = "") -> pytest.RunResult:
        path = self._pytester.makepyfile(test_variant=HEAD + source)
        if conftest:
            self._pytester.makeconftest(conftest)
        names = [f"{path.name}::TestMemory::{name}" for name in only] or [path.name]
        return self._pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider", *names)


def test_every_verb_has_a_standard_test_and_a_call_that_must_refuse() -> None:
    about = {standard.verbs[0] for standard in STANDARD.values()}
    assert about >= VERBS
    assert set(CALLS) == VERBS
    assert set(Feature) <= VERBS


def test_every_standard_test_is_about_verbs_that_there_are() -> None:
    for standard in STANDARD.values():
        for verb in standard.verbs:
            assert verb in VERBS or verb.startswith("adapter."), f"{standard.id} is about {verb}"
        assert standard.id.partition(".")[0] == standard.verbs[0].partition(".")[0]


def test_the_true_adapter_is_green_and_nothing_is_left_out(run: Run) -> None:
    outcomes = run(PLAIN).parseoutcomes()
    tests = [name for name in dir(ConformanceSuite) if name.startswith("test_")]
    assert outcomes == {"passed": len(tests)}
    assert len(tests) == len(STANDARD) + 2


def test_each_test_calls_the_verb_that_it_is_about(run: Run) -> None:
    watched = """
class WatchedHarness(MemoryHarness):
    @asynccontextmanager
    async def open(self):
        async with super().open() as adapter:
            called = set()
            for service in adapter.services:
                for verb in (verb for verb in CALLS if verb.startswith(service.noun + ".")):
                    watch(service, verb, called)
            yield adapter
            test = os.environ["PYTEST_CURRENT_TEST"].split("::")[-1].split(" ")[0]
            verb = STANDARD[test].verbs[0] if test in STANDARD else "adapter."
            assert verb.startswith("adapter.") or verb in called
def watch(service, verb, called):
    name = verb.partition(".")[2]
    method = getattr(service, name)
    def call(*args, **kwargs):
        called.add(verb)
        return method(*args, **kwargs)
    setattr(service, name, call)
class TestMemory(ConformanceSuite):
    harness = WatchedHarness
"""
    run(watched).assert_outcomes(passed=len(STANDARD) + 2)


TAKES_TWICE = """
class BrokenQueues(Queues):
    async def take(self, queue):
        item = await super().take(queue)
        if item is not None:
            self._keep(item, ItemState.NEW)
        return item
"""
TAKES_TWICE_UNDER_LOAD = """
class BrokenQueues(Queues):
    async def take(self, queue):
        free = [one for one in self._platform.items.values() if one.state is ItemState.NEW]
        await self.get(queue)
        free.sort(key=lambda one: ORDER.index(one.priority))
        free = [one for one in free if one.not_before is None or one.not_before <= self.clock.now()]
        return self._keep(free[0], ItemState.TAKEN) if free else None
"""
UNDECLARED_RETURNS = """
class BrokenQueues(Queues):
    async def stats(self, queue):
        return QueueStats(counts={})
    stats.__feature__ = QueueService.stats.__feature__
"""
UNDECLARED_SENDS = """
class BrokenQueues(Queues):
    async def stats(self, queue):
        await self.get("Letters")
        raise UnsupportedError("queues.stats", adapter="memory")
    stats.__feature__ = QueueService.stats.__feature__
"""
DECLARED_DOES_NOT_WORK = """
class BrokenQueues(Queues):
    async def stats(self, queue):
        return QueueStats(counts={ItemState.NEW: 0})
"""
REFUSES_AFTER_SENDING = """
class BrokenQueues(Queues):
    async def add(self, queue, draft):
        await self.get(queue)
        return await super().add(queue, draft)
"""
DROPS_A_REFERENCE = """
class BrokenQueues(Queues):
    async def add(self, queue, draft):
        return await super().add(queue, dataclasses.replace(draft, reference=None))
"""
SHOWS_A_LIBRARY_ERROR = """
class BrokenQueues(Queues):
    async def get(self, name):
        try:
            return self._platform.queues[name]
        except KeyError:
            raise NotFoundError(f"there is no queue {name!r}; look for its name")
"""
DROPS_A_MARK = DROPS_A_REFERENCE.replace("reference=None", "mark=None")
LISTS_TOO_MUCH = """
class BrokenQueues(Queues):
    async def items(self, queue, *, {0}=None, **more):
        async for item in super().items(queue, **more):
            yield item
"""
CHECKS_TOO_LITTLE = """
class BrokenQueues(Queues):
    def check_item(self, draft):
        pass
    async def add(self, queue, draft):
        super().check_item(draft)
        return await super().add(queue, draft)
"""
CHECKS_TOO_MUCH = """
class BrokenQueues(Queues):
    def check_item(self, draft):
        super().check_item(draft)
        if draft.due_at is not None:
            raise InvalidError("no due dates today")
    async def add(self, queue, draft):
        return await super().add(queue, dataclasses.replace(draft, due_at=None))
"""
DENIES_TIMES = """
class BrokenQueues(Queues): ...
MemoryAdapter.info = dataclasses.replace(
    MemoryAdapter.info, limits=dataclasses.replace(MemoryAdapter.info.limits, item_times=False)
)
"""
BROKEN_QUEUES = {
    "test_a_taken_item_is_not_given_again": TAKES_TWICE,
    "test_no_item_is_given_to_two_takers_at_the_same_time": TAKES_TWICE_UNDER_LOAD,
    "test_an_unknown_queue_has_no_stats": UNDECLARED_RETURNS,
    "test_stats_count_the_items": DECLARED_DOES_NOT_WORK,
    "test_an_item_as_large_as_declared_fits_and_a_larger_one_is_refused": REFUSES_AFTER_SENDING,
    "test_a_reference_survives_or_is_refused": DROPS_A_REFERENCE,
    "test_an_unknown_queue_is_not_found": SHOWS_A_LIBRARY_ERROR,
    "test_a_mark_comes_back_and_stays_out_of_the_values": DROPS_A_MARK,
    "test_items_are_found_by_what_their_marks_begin_with": LISTS_TOO_MUCH.format("mark"),
    "test_items_after_one_are_all_that_follow_it": LISTS_TOO_MUCH.format("after"),
    "test_an_items_check_says_what_add_will_refuse": CHECKS_TOO_LITTLE,
    "test_items_have_times_exactly_where_they_are_declared": DENIES_TIMES,
}


@pytest.mark.parametrize("name", BROKEN_QUEUES)
def test_a_broken_queue_is_red(run: Run, name: str) -> None:
    run(BROKEN_QUEUES[name] + WITH_QUEUES, name).assert_outcomes(failed=1)


def test_a_check_that_refuses_what_is_taken_is_red(run: Run) -> None:
    name = "test_an_items_check_says_what_add_will_refuse"
    run(CHECKS_TOO_MUCH + WITH_QUEUES, name).assert_outcomes(failed=1)


def test_an_undeclared_verb_that_sends_before_it_refuses_is_red(run: Run) -> None:
    run(UNDECLARED_SENDS + WITH_QUEUES, "test_stats_count_the_items").assert_outcomes(failed=1)


STARTS_TWICE = """
class BrokenJobs(Jobs):
    async def start(self, automation, inputs=None, *, key=None, **more):
        job = await super().start(automation, inputs, **more)
        self._platform.jobs[job.id] = job = replace(job, key=key)
        return job
"""
IGNORES_AN_OPTION = """
class BrokenJobs(Jobs):
    async def start(self, automation, inputs=None, *, options=None, **more):
        return await super().start(automation, inputs, **more)
"""
RAISES_FOR_A_FAILED_JOB = """
class BrokenJobs(Jobs):
    async def get(self, job_id):
        job = await super().get(job_id)
        if job.outcome is JobOutcome.FAILED:
            raise ConflictError("the job failed")
        return job
"""
NEVER_ENDS = """
class BrokenJobs(Jobs):
    async def wait(self, job, *, timeout=None, poll=2.0):
        await asyncio.Event().wait()
"""
BROKEN_JOBS = {
    "test_a_second_start_with_the_same_key_gives_the_same_job": STARTS_TWICE,
    "test_an_unknown_option_is_refused_before_sending": IGNORES_AN_OPTION,
    "test_a_failed_job_is_a_result": RAISES_FOR_A_FAILED_JOB,
    "test_a_job_ends_with_an_outcome": NEVER_ENDS + "MemoryHarness.patience = 0.05\n",
}


@pytest.mark.parametrize("name", BROKEN_JOBS)
def test_a_broken_job_is_red(run: Run, name: str) -> None:
    run(BROKEN_JOBS[name] + WITH_JOBS, name).assert_outcomes(failed=1)


WEAKENED = {
    "by an override": PLAIN + "    def test_find_yields_the_queues(self): ...\n",
    "by a removal": PLAIN + "    test_find_yields_the_queues = None\n",
    "by a parent": """
class Soft:
    def test_find_yields_the_queues(self): ...
class TestMemory(Soft, ConformanceSuite):
    harness = MemoryHarness
""",
    "by an override of its guard": PLAIN + "    test_all_standard_tests_are_collected_and_run = None\n",
    "by a mark of pytest": PLAIN + "    pytestmark = pytest.mark.skip\n",
    "by having no harness": "class TestMemory(ConformanceSuite): ...\n",
    "by an unknown mark": "MemoryHarness.marks = {'queues.test_tkae': never('x')}\n" + PLAIN,
    "by a mark without a reason": "MemoryHarness.marks = {'assets': never(' ')}\n" + PLAIN,
}


@pytest.mark.parametrize("how", WEAKENED)
def test_a_suite_that_is_weakened_cannot_even_be_collected(run: Run, how: str) -> None:
    run(WEAKENED[how]).assert_outcomes(errors=1)


GUARD = "test_all_standard_tests_are_collected_and_run"
SILENCED = {
    "deselected": """
def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if "take" not in item.name]
""",
    "skipped": """
import pytest
def pytest_collection_modifyitems(items):
    for item in items:
        if "take" in item.name:
            item.add_marker(pytest.mark.skip)
""",
}


@pytest.mark.parametrize("how", SILENCED)
def test_silenced_tests_are_missed(run: Run, how: str) -> None:
    result = run(PLAIN, conftest=SILENCED[how])
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines([f"FAILED *::{GUARD}*"])


def test_a_test_replaced_later_is_missed(run: Run) -> None:
    result = run(PLAIN + "TestMemory.test_take_from_an_empty_queue_gives_none = lambda self: None\n")
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines([f"FAILED *::{GUARD}*"])


def test_a_harness_cannot_skip(run: Run) -> None:
    skipping = """
class SkippingHarness(MemoryHarness):
    def open(self):
        pytest.skip("no platform today")
class TestMemory(ConformanceSuite):
    harness = SkippingHarness
"""
    run(skipping, "test_opening_sends_nothing").assert_outcomes(failed=1)


NOUNS = "test_every_absent_noun_has_a_reason"


def test_a_noun_that_was_forgotten_is_red(run: Run) -> None:
    run("del ABSENT['assets']\n" + PLAIN, NOUNS).assert_outcomes(failed=1)


def test_a_noun_that_is_there_and_marked_absent_is_red(run: Run) -> None:
    run("ABSENT['queues'] = never('x')\n" + PLAIN, NOUNS).assert_outcomes(failed=1)


TAKEN = "test_a_taken_item_is_not_given_again"


@pytest.mark.parametrize("word", ["notimpl", "notyet", "never"])
def test_a_mark_excuses_a_failure_and_is_shown_with_its_reason(run: Run, word: str) -> None:
    mark = f"ABSENT['queues.{TAKEN}'] = {word}('it forgets what it gave')\n"
    run(mark + TAKES_TWICE + WITH_QUEUES, TAKEN).assert_outcomes(xfailed=1)


def test_a_mark_does_not_excuse_a_crash(run: Run) -> None:
    crash = "class BrokenQueues(Queues):\n    async def take(self, queue):\n        return {}[queue]\n"
    mark = f"ABSENT['queues.{TAKEN}'] = notyet('it crashes')\n"
    run(mark + crash + WITH_QUEUES, TAKEN).assert_outcomes(failed=1)


def test_a_marked_test_that_passes_is_red(run: Run) -> None:
    run(f"ABSENT['queues.{TAKEN}'] = never('x')\n" + PLAIN, TAKEN).assert_outcomes(failed=1)


LEAKS = {
    "test_nothing_shows_a_secret": "Queues.__repr__ = lambda self: 'hunter2hunter2'\n",
    "test_get_gives_the_queue": """
import logging
class LoudQueues(Queues):
    async def get(self, name):
        logging.getLogger("memory").debug("with key hunter2hunter2")
        return await super().get(name)
MemoryAdapter.queues_class = LoudQueues
""",
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_secret_that_shows_is_red(run: Run, name: str) -> None:
    run("MemoryHarness.secrets = ('hunter2hunter2',)\n" + LEAKS[name] + PLAIN, name).assert_outcomes(failed=1)


def test_two_standard_tests_cannot_have_one_name() -> None:
    async def test_find_yields_the_queues(self: object, stage: object) -> None:
        raise AssertionError("never played")

    with pytest.raises(TypeError, match="rename one"):
        requires("queues.find")(test_find_yields_the_queues)


def test_a_mark_says_its_word_and_reason() -> None:
    assert str(never("BotMaestro keeps no settings")) == "never: BotMaestro keeps no settings"


def test_without_pytest_the_import_says_what_to_install() -> None:
    program = "import sys; sys.modules['pytest'] = None; import rpa_bridge.conformance"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.strip().splitlines()[-1] == (
        "ImportError: rpa_bridge.conformance needs pytest; run: pip install pytest"
    )
