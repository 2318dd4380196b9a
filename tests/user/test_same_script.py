"""One script, with only the connection's name changed."""

from __future__ import annotations

from rpa_bridge import Adapter, Bridge, BusinessError, ItemDraft, ItemState, JobOutcome, JobState
from rpa_bridge.sandbox.server import Sandbox


async def the_script(platform: Adapter) -> dict[str, object]:
    """What an integration does on any platform; what it saw."""
    job = await platform.jobs.start("Invoices", {"month": "2026-10"}, key="invoices-2026-10")
    same = await platform.jobs.start("Invoices", {"month": "2026-10"}, key="invoices-2026-10")
    ended = await platform.jobs.wait(job, timeout=60)

    first = await platform.queues.add("Invoices", ItemDraft(values={"number": "4711"}, reference="INV-4711"))
    second = await platform.queues.add("Invoices", ItemDraft(values={"number": ""}, reference="INV-0"))
    try:
        for _ in range(2):
            async with platform.queues.lease("Invoices") as item:
                assert item is not None
                if not item.values["number"]:
                    raise BusinessError("the invoice has no number")
                item.output["paid"] = "yes"
    except BusinessError as error:
        reason = str(error)

    done = await platform.queues.get_item("Invoices", first.id)
    failed = await platform.queues.get_item("Invoices", second.id)
    assert failed.failure is not None
    return {
        "once": same.id == job.id,
        "inputs": ended.inputs,
        "state": ended.state,
        "outcome": ended.outcome,
        "items": (done.state, failed.state),
        "output": done.output,
        "reason": (reason, failed.failure.kind.value, failed.failure.reason),
        "left": await platform.queues.take("Invoices"),
    }


async def test_both_platforms_give_the_same_answers(bridge: Bridge, sandbox: Sandbox) -> None:
    seen = {name: await the_script(bridge[name]) for name in ("uipath", "botmaestro")}

    assert seen["uipath"] == seen["botmaestro"]
    assert seen["uipath"] == {
        "once": True,
        "inputs": {"month": "2026-10"},
        "state": JobState.FINISHED,
        "outcome": JobOutcome.SUCCEEDED,
        "items": (ItemState.DONE, ItemState.FAILED),
        "output": {"paid": "yes"},
        "reason": ("the invoice has no number", "business", "the invoice has no number"),
        "left": None,
    }
