"""What an operations engineer sees when something is wrong: one typed error, one sentence, the mend in it.

Everything goes over real HTTP to the sandbox, which counts what reached it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from rpa_bridge import (
    AdapterLoadError,
    AuthError,
    Bridge,
    ConfigError,
    ConflictError,
    InvalidError,
    ItemDraft,
    JobOutcome,
    NotFoundError,
    OutcomeUnknownError,
    ProtocolError,
    QueueDraft,
    RateLimitedError,
    UnavailableError,
)
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.testing import ManualClock

Change = Callable[..., dict[str, Any]]
"""Makes settings of one connection to the sandbox, with some of them changed."""

START = {"uipath": "POST *StartJobs", "botmaestro": "POST /api/v2/task"}
TAKE = {"uipath": "POST *StartTransaction", "botmaestro": "GET */pull"}
ADD = {"uipath": "POST *AddQueueItem", "botmaestro": "POST */push"}
CREATE = {"uipath": "POST *QueueDefinitions", "botmaestro": "POST */datapool"}
READ_JOB = {"uipath": "GET *odata/Jobs(*", "botmaestro": "GET /api/v2/task/*"}
LOGIN = {"uipath": "*connect/token", "botmaestro": "*workspace/login"}


def executions(sandbox: Sandbox, pattern: str) -> int:
    """How often the sandbox carried out requests of this kind, whatever the client heard."""
    method, _, path = pattern.partition(" ")
    return sum(one.executed and one.method == method and fnmatchcase(one.path, path) for one in sandbox.world.exchanges)


@pytest.mark.parametrize(
    ("vendor", "settings", "mend"),
    [
        (
            "uipath",
            {"auth": {"type": "client_credentials", "client_id": "nobody", "client_secret": "wrong-secret-4711"}},
            "auth.client_id",
        ),
        ("botmaestro", {"key": "wrong-secret-4711"}, "login and key"),
    ],
)
async def test_a_wrong_secret_is_an_auth_error_that_names_the_setting(
    sandbox: Sandbox, clock: ManualClock, changed: Change, vendor: str, settings: dict[str, object], mend: str
) -> None:
    async with Bridge(changed(vendor, **settings), clock=clock, cache_dir=None) as bridge:
        with pytest.raises(AuthError, match=mend) as caught:
            await bridge[vendor].jobs.start("Invoices")
        with pytest.raises(AuthError):
            await bridge[vendor].jobs.start("Invoices")

    assert "wrong-secret-4711" not in repr(caught.value) + str(caught.value)
    asked = [one for one in sandbox.world.exchanges if "login" in one.path or "token" in one.path]
    assert len(asked) == 1, "a bad secret is remembered, not tried again and again"
    assert executions(sandbox, START[vendor]) == 0


async def test_an_unknown_connection_names_the_ones_that_exist(bridge: Bridge) -> None:
    with pytest.raises(ConfigError, match=r"botmaestr.*did you mean 'botmaestro'"):
        bridge["botmaestr"]


async def test_an_unknown_adapter_names_the_ones_that_are_installed() -> None:
    async with Bridge({"connections": {"one": {"adapter": "uipaht"}}}, cache_dir=None) as bridge:
        with pytest.raises(AdapterLoadError, match="uipath"):
            bridge["one"]


async def test_an_unknown_automation_is_not_found_and_nothing_is_started(
    sandbox: Sandbox, bridge: Bridge, vendor: str
) -> None:
    with pytest.raises(NotFoundError, match=r"'Nothing like it'.*automations list"):
        await bridge[vendor].jobs.start("Nothing like it", {"a": 1}, key="k-1")

    assert executions(sandbox, START[vendor]) == 0


async def test_an_unknown_queue_is_not_found(bridge: Bridge, vendor: str) -> None:
    queues = bridge[vendor].queues
    with pytest.raises(NotFoundError, match="Nothing"):
        await queues.get("Nothing")
    with pytest.raises(NotFoundError):
        await queues.add("Nothing", ItemDraft(values={"a": "1"}))
    with pytest.raises(NotFoundError):
        await queues.take("Nothing")


async def test_a_dead_server_is_unavailable_and_says_whether_it_runs(
    clock: ManualClock, changed: Change, vendor: str
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{unused.getsockname()[1]}"
        address = {"url": f"{dead}/acme/default/orchestrator_"} if vendor == "uipath" else {"server": dead}
        async with Bridge(changed(vendor, **address), clock=clock, cache_dir=None) as bridge:
            with pytest.raises(UnavailableError, match="does not accept connections; is it running") as caught:
                await bridge[vendor].jobs.start("Invoices", key="k-1")

    assert not caught.value.maybe_applied


async def test_a_web_page_instead_of_data_is_named_for_what_it_is(
    sandbox: Sandbox, bridge: Bridge, vendor: str
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.HTML, match=READ_JOB[vendor], times=9))

    with pytest.raises(ProtocolError, match="web page instead of data; check the address"):
        await bridge[vendor].jobs.get("1")


async def test_a_web_page_at_log_in_is_named_too(sandbox: Sandbox, bridge: Bridge, vendor: str) -> None:
    sandbox.world.faults.add(Fault(FaultKind.HTML, match=f"POST {LOGIN[vendor]}", times=99))

    with pytest.raises(ProtocolError, match="web page"):
        await bridge[vendor].jobs.get("1")


async def test_a_read_survives_a_cut_connection(sandbox: Sandbox, bridge: Bridge, vendor: str) -> None:
    job = await bridge[vendor].jobs.start("Invoices", key="k-1")
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=READ_JOB[vendor], times=3))

    assert (await bridge[vendor].jobs.get(job.id)).id == job.id


async def test_a_read_that_is_always_cut_is_unavailable(sandbox: Sandbox, bridge: Bridge, vendor: str) -> None:
    job = await bridge[vendor].jobs.start("Invoices", key="k-1")
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=READ_JOB[vendor], times=99))

    with pytest.raises(UnavailableError, match="cut the connection") as caught:
        await bridge[vendor].jobs.get(job.id)
    assert caught.value.attempts == 5


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.TRUNCATE, FaultKind.STATUS, FaultKind.HTML])
async def test_a_start_whose_answer_is_lost_is_found_and_never_sent_twice(
    sandbox: Sandbox, bridge: Bridge, vendor: str, kind: FaultKind
) -> None:
    sandbox.world.faults.add(Fault(kind, match=START[vendor], when=When.AFTER))

    job = await bridge[vendor].jobs.start("Invoices", {"month": "2026-10"}, key="invoices-2026-10")

    assert executions(sandbox, START[vendor]) == 1
    assert job.key == "invoices-2026-10"
    assert (await bridge[vendor].jobs.wait(job, timeout=60)).outcome is JobOutcome.SUCCEEDED
    again = await bridge[vendor].jobs.start("Invoices", {"month": "2026-10"}, key="invoices-2026-10")
    assert again.id == job.id
    assert executions(sandbox, START[vendor]) == 1


async def test_a_start_that_never_arrived_is_outcome_unknown_and_not_repeated(
    sandbox: Sandbox, bridge: Bridge, clock: ManualClock, vendor: str
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=START[vendor], when=When.BEFORE))
    began = clock.monotonic()

    with pytest.raises(OutcomeUnknownError, match="look for it on the platform before you repeat"):
        await bridge[vendor].jobs.start("Invoices", key="k-1")

    assert executions(sandbox, START[vendor]) == 0
    assert clock.monotonic() - began >= 120, "the whole settle window is waited for"
    sent = [one for one in sandbox.world.exchanges if one.status is None]
    assert len(sent) == 1


async def test_a_take_whose_answer_is_lost_says_that_an_item_may_be_reserved(
    sandbox: Sandbox, bridge: Bridge, vendor: str
) -> None:
    queues = bridge[vendor].queues
    await queues.add("Invoices", ItemDraft(values={"n": "1"}))
    await queues.add("Invoices", ItemDraft(values={"n": "2"}))
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=TAKE[vendor], when=When.AFTER))

    with pytest.raises(OutcomeUnknownError, match="without a worker") as caught:
        await queues.take("Invoices")

    assert caught.value.maybe_applied
    assert executions(sandbox, TAKE[vendor]) == 1


async def test_an_added_item_whose_answer_is_lost_is_found_by_its_reference(
    sandbox: Sandbox, bridge: Bridge, vendor: str
) -> None:
    queues = bridge[vendor].queues
    older = await queues.add("Invoices", ItemDraft(values={"n": "1"}, reference="INV-1"))
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=ADD[vendor], when=When.AFTER))

    item = await queues.add("Invoices", ItemDraft(values={"n": "1"}, reference="INV-1"))

    assert item.id != older.id, "an older item with the same reference is not ours"
    assert executions(sandbox, ADD[vendor]) == 2


async def test_an_item_without_a_reference_is_outcome_unknown_after_a_lost_answer(
    sandbox: Sandbox, bridge: Bridge, vendor: str
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=ADD[vendor], when=When.AFTER))

    with pytest.raises(OutcomeUnknownError, match="give items a reference"):
        await bridge[vendor].queues.add("Invoices", ItemDraft(values={"n": "1"}))

    assert executions(sandbox, ADD[vendor]) == 1


async def test_a_report_whose_answer_is_lost_is_done_once(sandbox: Sandbox, bridge: Bridge, vendor: str) -> None:
    queues = bridge[vendor].queues
    await queues.add("Invoices", ItemDraft(values={"n": "1"}))
    item = await queues.take("Invoices")
    assert item is not None
    report = {"uipath": "POST *SetTransactionResult", "botmaestro": "POST */entry/*"}[vendor]
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=report, when=When.AFTER))

    await queues.complete(item, {"paid": "yes"})

    assert executions(sandbox, report) == 1


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_a_429_is_waited_out_as_long_as_the_platform_asks(
    sandbox: Sandbox, bridge: Bridge, clock: ManualClock, vendor: str, form: str
) -> None:
    said = (
        "17" if form == "seconds" else format_datetime(sandbox.world.clock.now() + timedelta(seconds=19), usegmt=True)
    )
    sandbox.world.faults.add(
        Fault(FaultKind.STATUS, match=START[vendor], status=429, headers={"Retry-After": said}, times=2)
    )

    job = await bridge[vendor].jobs.start("Invoices", key="k-1")

    assert job.id
    assert executions(sandbox, START[vendor]) == 1
    assert max(clock.slept) >= 16


async def test_a_429_that_asks_for_more_than_the_deadline_is_rate_limited_at_once(
    sandbox: Sandbox, bridge: Bridge, clock: ManualClock, vendor: str
) -> None:
    sandbox.world.faults.add(
        Fault(FaultKind.STATUS, match=START[vendor], status=429, headers={"Retry-After": "4000"}, times=99)
    )

    with pytest.raises(RateLimitedError) as caught:
        await bridge[vendor].jobs.start("Invoices", key="k-1")

    assert caught.value.retry_after == 4000
    assert not caught.value.maybe_applied
    assert sum(clock.slept) < 4000


async def test_a_token_that_expires_in_the_middle_is_renewed_once(
    sandbox: Sandbox, bridge: Bridge, clock: ManualClock, vendor: str
) -> None:
    jobs = bridge[vendor].jobs
    job = await jobs.start("Invoices", key="k-1")
    sandbox.world.clock.advance(3 * 3600)  # the platform forgets our token; our own clock does not know
    clock.advance(60)

    assert (await jobs.get(job.id)).id == job.id

    logins = [one for one in sandbox.world.exchanges if one.path.endswith(("/connect/token", "/workspace/login"))]
    assert len(logins) == 2
    assert [one.status for one in sandbox.world.exchanges].count(401) == 1


async def test_bad_input_is_refused_before_anything_is_sent(sandbox: Sandbox, bridge: Bridge, vendor: str) -> None:
    adapter = bridge[vendor]
    for call in (
        adapter.jobs.start("Invoices", {"when": object()}),
        adapter.jobs.start("Invoices", key="x" * 129),
        adapter.jobs.start(" "),
        adapter.queues.add("Invoices", ItemDraft(values={"deep": {"er": 1}})),
        adapter.queues.add("Invoices", ItemDraft(values={"n": float("nan")})),
        adapter.queues.add("", ItemDraft(values={"n": "1"})),
    ):
        with pytest.raises(InvalidError) as caught:
            await call
        assert not caught.value.maybe_applied

    assert not sandbox.world.exchanges


async def test_a_read_only_cache_folder_does_not_stop_the_work(
    clock: ManualClock, changed: Change, tmp_path: Path, vendor: str
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where the folder should be")
    async with Bridge(changed(vendor), clock=clock, cache_dir=blocked / "cache") as bridge:
        assert (await bridge[vendor].jobs.start("Invoices", key="k-1")).id


async def test_what_somebody_else_made_is_not_ours_because_the_platform_asked_us_to_slow_down_before(
    sandbox: Sandbox, bridge: Bridge, vendor: str
) -> None:
    queues = bridge[vendor].queues
    await queues.create(QueueDraft(name="Taken"))
    slow = Fault(FaultKind.STATUS, match=CREATE[vendor], status=429, headers={"Retry-After": "1"})
    sandbox.world.faults.add(slow)

    with pytest.raises(ConflictError):
        await queues.create(QueueDraft(name="Taken"))
    assert [one.status for one in sandbox.world.exchanges].count(429) == 1

    await queues.add("Taken", ItemDraft(values={"n": "1"}, reference="r"))
    item = await queues.take("Taken")
    assert item is not None
    await queues.complete(item, {"by": "the first"})
    sandbox.world.faults.add(replace(slow, match="POST *SetTransactionResult", times=1))
    if vendor == "uipath":
        with pytest.raises(ConflictError):
            await queues.complete(item, {"by": "somebody else"})


async def test_a_right_that_was_taken_away_in_between_does_not_hide_what_was_made(
    sandbox: Sandbox, bridge: Bridge, vendor: str
) -> None:
    sandbox.world.faults.add(Fault(FaultKind.CUT, match=CREATE[vendor], when=When.AFTER))
    sandbox.world.faults.add(Fault(FaultKind.STATUS, match=CREATE[vendor], status=403))

    assert (await bridge[vendor].queues.create(QueueDraft(name="New"))).name == "New"
