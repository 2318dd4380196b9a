"""Queues: BotMaestro's datapools and their entries. docs: botmaestro.md 9"""

from __future__ import annotations

from .adding import Adding
from .working import Working


class BotMaestroQueues(Working, Adding):
    """Datapools by label; entries by id."""


__all__ = ["BotMaestroQueues"]
