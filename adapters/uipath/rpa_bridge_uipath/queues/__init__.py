"""Queues and their items. docs: uipath.md 3.9, 3.10 and 5.5"""

from __future__ import annotations

from .adding import Adding
from .working import Working


class UiPathQueues(Working, Adding):
    """Queues by name; items by number."""


__all__ = ["UiPathQueues"]
