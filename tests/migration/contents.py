"""Generated content of items: all shapes that a person or a program may have put into a queue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from rpa_bridge.contract.model import Priority
from rpa_bridge.contract.queues import ItemDraft

SOON = datetime(2031, 2, 3, 4, 5, 6, 789_000, tzinfo=UTC)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
dates = st.sampled_from(["2026-10-01", "2026-10-01T00:00:00Z", "/Date(1)/", "01.10.2026"])
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(-1e15, 1e15), texts, dates)
nested = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=6
)
moments = st.integers(0, 10**9).map(lambda number: SOON + timedelta(milliseconds=number))
drafts = st.builds(
    ItemDraft,
    values=st.dictionaries(names, nested, max_size=4),
    reference=st.none() | st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40),
    priority=st.sampled_from(Priority),
    not_before=st.none() | moments,
    due_at=st.none() | moments,
)
