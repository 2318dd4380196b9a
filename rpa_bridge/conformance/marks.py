"""The three words for "no". Each needs a reason, and each turns red when the "no" has become a "yes"."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Word(StrEnum):
    """What kind of "no" it is."""

    NOTIMPL = "notimpl"
    """The platform can; the adapter does not yet."""
    NOTYET = "notyet"
    """A known defect."""
    NEVER = "never"
    """The platform cannot."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Why a standard test is expected to fail, or a noun to be absent."""

    word: Word
    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError(f"{self.word}() needs a reason: one sentence that a colleague understands")

    def __str__(self) -> str:
        return f"{self.word}: {self.reason}"


def notimpl(reason: str) -> Mark:
    """The platform can do it, the adapter does not yet."""
    return Mark(Word.NOTIMPL, reason)


def notyet(reason: str) -> Mark:
    """A known defect of the adapter."""
    return Mark(Word.NOTYET, reason)


def never(reason: str) -> Mark:
    """The platform cannot do it."""
    return Mark(Word.NEVER, reason)
