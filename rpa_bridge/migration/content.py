"""What of a thing must be the same at both ends, as hashes: the same for a draft and for what it became."""

from __future__ import annotations

from rpa_bridge.contract.queues import Item, ItemDraft, ItemState

from .canonical import hash_of

GONE = frozenset({ItemState.REMOVED, ItemState.CANCELLED})
"""States of items that were taken out of their queue again, unworked."""


def item_hash(item: Item | ItemDraft) -> str:
    """Of an item's content: not of its id, state, mark, attempts and results."""
    return hash_of([item.values, item.reference, item.priority, item.not_before, item.due_at])
