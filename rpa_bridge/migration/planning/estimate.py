"""What a migration costs, from the budgets that both platforms set."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

from rpa_bridge.contract.features import Limits
from rpa_bridge.migration.documents import Estimate, Kind, Step

PAGE = 100
"""Rows in an answer where the platform names no number."""
CALLS = {Kind.QUEUE: 3, Kind.ASSET: 4, Kind.CREDENTIAL: 4, Kind.ARTIFACTS: 5}
"""Requests for one thing at both ends together, with those that verify it."""


def estimated(steps: Iterable[Step], source: Limits, target: Limits) -> Estimate:
    """One pass to copy and one to verify; each platform waits for the other."""
    going = [one for one in steps if one.goes]
    items = [one.count for one in going if one.kind is Kind.ITEMS]
    reads = sum(ceil(one / (source.page_size or PAGE)) for one in items)
    looks = sum(ceil(one / (target.page_size or PAGE)) for one in items)
    calls = sum(ceil(one / (target.batch_size or 1)) for one in items)
    calls += sum(one.count * CALLS[one.kind] for one in going if one.kind is not Kind.ITEMS)
    minutes = _minutes(reads, source.lists_per_minute) + _minutes(looks, target.lists_per_minute)
    per_second = target.calls_per_second
    minutes += _minutes(calls, None if per_second is None else per_second * 60)
    return Estimate(lists=reads + looks, calls=calls, minutes=round(minutes, 1))


def _minutes(requests: int, per_minute: float | None) -> float:
    return requests / per_minute if per_minute else 0.0
