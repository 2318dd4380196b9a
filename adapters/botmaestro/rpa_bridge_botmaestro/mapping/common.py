"""Words that several nouns share."""

from __future__ import annotations

from rpa_bridge.contract.model import Priority

KEY = "_rb_key"
"""The parameter of a task, or value of an entry, that carries our key. docs: values outside the schema are allowed"""
PRIORITIES = {Priority.LOW: 0, Priority.NORMAL: 5, Priority.HIGH: 10}
"""0 is the lowest, 10 the highest. docs: botmaestro.md 9"""


def priority_of(number: int) -> Priority:
    """What the number means."""
    if number <= 3:
        return Priority.LOW
    return Priority.NORMAL if number <= 6 else Priority.HIGH
