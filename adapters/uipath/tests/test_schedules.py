"""Triggers by time and by queue, over real HTTP."""

from __future__ import annotations

from rpa_bridge import Adapter


async def test_a_trigger_by_time_and_one_by_a_queue_are_told_apart(erp: Adapter) -> None:
    found = {one.name: one async for one in erp.schedules.find()}
    by_time, by_queue = found["Invoices every morning"], found["Invoices as they come"]

    assert (by_time.automation, by_time.queue, by_time.enabled) == ("Invoices", None, False)
    assert by_time.cron == "0 0 6 ? * MON-FRI"
    assert (by_queue.queue, by_queue.enabled, by_queue.cron) == ("Invoices", True, None)
