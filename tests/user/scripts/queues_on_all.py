"""The script of queues: made, filled, worked by hand and by lease, counted, deleted."""

from __future__ import annotations

from contextlib import suppress

from rpa_bridge import Adapter, AddResult, BusinessError, Failure, FailureKind, ItemDraft, ItemState, QueueDraft

from .script import Difference, Facts, Script, listed, refusal


async def queues(platform: Adapter) -> Facts:
    service, name = platform.queues, "Größe & Preis"
    draft = QueueDraft(name=name, description="made by a script")
    service.check_queue(draft)
    made = await service.create(draft)
    changed = await service.update(name, QueueDraft(name=name, description="changed", retries=1))
    facts: Facts = {
        "made": (made.name, made.description, made.retries),
        "changed": (changed.description, changed.retries),
        "there": name in [one.name async for one in service.find()] and (await service.get(name)).name == name,
    }
    added = await service.add(name, ItemDraft(values={"number": "1", "größe": "€ 2"}, reference="INV-1"))
    results: list[AddResult] = []
    drafts = [ItemDraft(values={"number": str(number)}, reference=f"INV-{number}") for number in range(2, 6)]
    for one in drafts:
        service.check_item(one)
    summary = await service.add_many(name, drafts, on_result=results.append)
    facts["added"] = (added.state, added.values, summary.added, summary.refused, summary.unknown)
    facts["results"] = sorted((one.position, one.reference, one.status.value) for one in results)
    facts["found"] = [one.values async for one in service.items(name, reference="INV-3")]
    facts["new"] = [one.reference async for one in service.items(name, state=ItemState.NEW)]
    await _work_four_items(platform, name, facts)
    [last] = [one async for one in service.items(name, state=ItemState.NEW)]
    await service.remove(last)
    facts["nothing left"] = await service.take(name)
    *worked, removed = await listed(service.items(name))
    facts["worked"] = [(one.reference, one.state) for one in worked]
    facts["removed"] = (removed.reference, removed.state)
    counts = (await service.stats(name)).counts
    facts["counts"] = {state: counts[state] for state in (ItemState.NEW, ItemState.DONE, ItemState.FAILED)}
    await service.delete(name)
    facts["deleted"] = await refusal(service.get(name))
    return facts


async def _work_four_items(platform: Adapter, name: str, facts: Facts) -> None:
    """One by hand that goes well, one by hand that does not, and the same by lease."""
    service = platform.queues
    first = await service.take(name)
    assert first is not None
    await service.progress(first, "half way")
    noted = await service.get_item(name, first.id)
    await service.complete(first, {"paid": "yes"})
    second = await service.take(name)
    assert second is not None
    await service.fail(second, Failure(kind=FailureKind.BUSINESS, reason="the invoice has no amount"))
    with suppress(BusinessError):
        for _ in range(2):
            async with service.lease(name) as item:
                assert item is not None
                if item.reference == "INV-4":
                    raise BusinessError("größer als erlaubt")
                item.output["paid"] = "yes"
    worked = [one async for one in service.items(name) if one.state is not ItemState.NEW]
    facts["noted"] = (first.reference, noted.state, noted.progress)
    facts["outputs"] = [one.output for one in worked]
    facts["failures"] = [one.failure and (one.failure.kind.value, one.failure.reason) for one in worked]


QUEUES = Script(
    queues,
    {
        "made": ("Größe & Preis", "made by a script", 0),
        "changed": ("changed", 1),
        "there": True,
        "added": (ItemState.NEW, {"number": "1", "größe": "€ 2"}, 4, 0, 0),
        "results": [(position, f"INV-{position + 2}", "added") for position in range(4)],
        "found": [{"number": "3"}],
        "new": ["INV-1", "INV-2", "INV-3", "INV-4", "INV-5"],
        "noted": ("INV-1", ItemState.TAKEN, "half way"),
        "outputs": [{"paid": "yes"}, {}, {"paid": "yes"}, {}],
        "failures": [
            None,
            ("business", "the invoice has no amount"),
            None,
            ("business", "größer als erlaubt"),
        ],
        "nothing left": None,
        "worked": [
            ("INV-1", ItemState.DONE),
            ("INV-2", ItemState.FAILED),
            ("INV-3", ItemState.DONE),
            ("INV-4", ItemState.FAILED),
        ],
        "removed": ("INV-5", ItemState.REMOVED),
        "counts": {ItemState.NEW: 0, ItemState.DONE: 2, ItemState.FAILED: 2},
        "deleted": "NotFoundError",
    },
    {
        "botmaestro": Difference(
            {"removed": ("INV-5", ItemState.CANCELLED)}, "an entry that nobody worked on is cancelled, and stays"
        )
    },
)
