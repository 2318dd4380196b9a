"""A bot as BotCity's Runner starts it: with a token on its command line, and no key to get another."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests as http
from aiohttp import ClientSession
from pydantic import SecretStr

from rpa_bridge import Adapter, AuthError, Bridge, ConfigError, JobOutcome, JobState, sync
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge.testing import ManualClock, SandboxThread
from rpa_bridge.transport.options import HttpOptions

Requests = Callable[[str], list[Exchange]]
LOGIN = "POST */workspace/login"


@dataclass(frozen=True)
class Started:
    """What the Runner did for one task."""

    argv: list[str]
    task: str

    @property
    def token(self) -> str:
        return self.argv[3]


@pytest.fixture
async def started(sandbox: Sandbox, maestro: Adapter) -> Started:
    """A task that the sandbox's runner has claimed."""
    job = await maestro.jobs.start("Invoices", {"month": "2026-10"})
    async with ClientSession() as control, control.post(f"{sandbox.control_url}botmaestro/runner") as answer:
        claimed = await answer.json()
    assert str(claimed["task"]) == job.id
    sandbox.world.exchanges.clear()
    return Started(["bot.py", *claimed["arguments"]], job.id)


@pytest.fixture
async def bridge(started: Started, clock: ManualClock) -> AsyncIterator[Bridge]:
    async with Bridge.from_runner_args(started.argv, clock=clock, cache_dir=None) as running:
        yield running


async def test_a_bot_reads_its_task_works_and_reports_without_logging_in(
    bridge: Bridge, started: Started, requests: Requests
) -> None:
    assert list(bridge) == ["botmaestro"]
    maestro = bridge["botmaestro"]
    assert maestro.current_job == started.task
    assert not requests("*")

    task = await maestro.jobs.get(maestro.current_job)
    assert (task.inputs, task.state, task.stop_requested) == ({"month": "2026-10"}, JobState.RUNNING, False)
    await maestro.alerts.send("Half way", "No paper", job=maestro.current_job)
    await maestro.logs.create("Bookings", ["number"])
    ended = await maestro.jobs.report(maestro.current_job, JobOutcome.SUCCEEDED)

    assert ended.outcome is JobOutcome.SUCCEEDED
    assert not requests(LOGIN)
    assert {one.headers.get("organization") for one in requests("*")} == {"acme"}


async def test_without_an_organization_none_is_named(
    sandbox: Sandbox, started: Started, clock: ManualClock, requests: Requests
) -> None:
    async with Bridge.from_runner_args(started.argv[:4], clock=clock, cache_dir=None) as bridge:
        await bridge["botmaestro"].jobs.get(started.task)

    assert "organization" not in requests("*")[0].headers


async def test_a_token_that_has_ended_is_an_auth_error_that_says_why_nothing_mends_it(
    sandbox: Sandbox, bridge: Bridge, started: Started, requests: Requests
) -> None:
    sandbox.world.clock.advance(3601)

    with pytest.raises(AuthError, match=r"the token that the Runner handed over .* no key to log in with") as caught:
        await bridge["botmaestro"].jobs.get(started.task)

    assert caught.value.status == 401
    assert len(requests("*")) == 1, "there is no other token to try"
    assert started.token not in repr(caught.value)


async def test_the_token_is_shown_nowhere(bridge: Bridge, started: Started, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    maestro = bridge["botmaestro"]
    findings = await maestro.check()
    status = await maestro.login_status()

    shown = [bridge, maestro, findings, status, *map(vars, (bridge, maestro)), caplog.text]
    assert not [one for one in shown if started.token in f"{one!r}"]
    assert REDACTOR.clean(f"sent {started.token}") == "sent ***"
    assert status is not None
    assert (status.identity, status.state) == (f"the Runner's token for task {started.task}", "fixed")


async def test_a_check_says_whose_token_it_is_and_how_its_task_stands(
    sandbox: Sandbox, bridge: Bridge, started: Started
) -> None:
    found = {one.subject: (one.ok, one.message) for one in await bridge["botmaestro"].check()}

    assert list(found)[:3] == ["server", "log-in", "current job"]
    assert all(ok for ok, _ in found.values())
    assert found["current job"][1] == f"task {started.task} of 'Invoices' is RUNNING"
    assert "no key to get another" in found["log-in"][1]

    sandbox.world.clock.advance(3601)
    ended = {one.subject: (one.ok, one.message) for one in await bridge["botmaestro"].check()}
    assert [(name, ok) for name, (ok, _) in ended.items()] == [("server", True), ("log-in", False)]
    assert "the token that the Runner handed over" in ended["log-in"][1]


async def test_a_check_tells_of_a_task_that_is_gone(
    bridge: Bridge, started: Started, rewrite: Callable[[Callable[[Any], None]], None]
) -> None:
    rewrite(lambda state: state["tasks"].clear())

    found = {one.subject: one.ok for one in await bridge["botmaestro"].check()}

    assert not found.pop("current job")
    assert all(found.values())


async def test_a_check_of_a_task_that_cannot_be_does_not_raise(started: Started, clock: ManualClock) -> None:
    argv = [*started.argv[:2], "9" * 5000, started.token]
    async with Bridge.from_runner_args(argv, clock=clock, cache_dir=None) as bridge:
        found = {one.subject: one.message for one in await bridge["botmaestro"].check()}

    assert "ids are numbers" in found["current job"]


async def test_an_adapter_that_a_person_opened_runs_no_job(maestro: Adapter) -> None:
    assert maestro.current_job is None


@pytest.mark.parametrize("argv", [["bot.py"], ["bot.py", "--verbose"], ["bot.py", "https://x.test", "4711"], []])
def test_without_the_runners_arguments_the_mend_is_named(argv: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"no runner of .*botmaestro.*; let the runner start it, or use Bridge\.load"):
        Bridge.from_runner_args(argv)


def test_http_options_reach_the_connection(started_thread: Started) -> None:
    unreachable = HttpOptions(proxy=SecretStr("http://127.0.0.1:9"))
    bridge = Bridge.from_runner_args(started_thread.argv, http=unreachable, cache_dir=None)

    settings = bridge._from_runner["botmaestro"]
    assert settings.model_dump()["http"]["proxy"] == unreachable.proxy


def test_a_plain_script_takes_the_same_arguments(started_thread: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", started_thread.argv)

    with sync.Bridge.from_runner_args(sys.argv, cache_dir=None) as bridge:
        maestro = bridge["botmaestro"]
        assert maestro.current_job == started_thread.task
        assert maestro.jobs.report(maestro.current_job, JobOutcome.PARTIAL).outcome is JobOutcome.PARTIAL


@pytest.fixture
def started_thread() -> Iterator[Started]:
    """The same beside a program without an event loop."""
    with SandboxThread(["botmaestro"]) as sandbox:
        with sync.Bridge({"connections": sandbox.connections}, cache_dir=None) as bridge:
            job = bridge["botmaestro"].jobs.start("Invoices")
        claimed = http.post(f"{sandbox.control_url}botmaestro/runner", timeout=10).json()
        yield Started(["bot.py", *claimed["arguments"]], job.id)
