"""The history checker, after Jepsen's idea: what clients were told, held against what the platform carried out.

Each key: carried out exactly once if a client was told that it was, at most once otherwise, and never by a request
whose client was told that it was not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from rpa_bridge.errors import BridgeError, Delivery, RemoteError
from rpa_bridge.sandbox.world import Exchange


class End(StrEnum):
    """How an operation ended for its client."""

    OK = "ok"
    FAIL = "fail"
    """It was told that nothing was done."""
    UNKNOWN = "unknown"
    """It was told so, or has heard nothing at all."""


class Wrong(StrEnum):
    """What can be wrong with a key."""

    LOST = "lost"
    """A client was told that it is there, and it is not."""
    DOUBLED = "doubled"
    REFUSED_AND_DONE = "carried out although a client was told that it was not"
    FOREIGN = "a client was told of another one"
    SHARED = "given to two clients"
    UNTOLD = "carried out, and no client was told that it may be so"


@dataclass(slots=True, eq=False)
class Told:
    """One operation, as its client knows it."""

    key: str
    """What it is found by on the platform; operations that must come to the same thing share one."""
    first: int
    """The number of the first exchange that may be its own."""
    last: int | None = None
    """The number of the last; None while it runs."""
    end: End = End.UNKNOWN
    ids: tuple[str, ...] = ()
    """What its client was told that it made; empty where it was not told ids."""
    for_one: bool = False
    """Whether nobody else may be told the same."""


@dataclass(frozen=True, slots=True)
class Violation:
    """What must not be, and where to look."""

    seed: int
    key: str
    wrong: Wrong
    exchanges: tuple[int, ...]
    """The numbers of all that name the key and may have changed something."""

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.key} is {self.wrong}; exchanges {', '.join(map(str, self.exchanges)) or 'none'}"
        )


@dataclass
class Journal:
    """What all clients did, and were told."""

    now: Callable[[], int]
    """The number of the newest exchange."""
    told: list[Told] = field(default_factory=list)

    def asked(self, key: str, *, for_one: bool = False) -> Told:
        """A new operation, which is about to be sent."""
        self.told.append(Told(key, self.now() + 1, for_one=for_one))
        return self.told[-1]

    def ended(self, told: Told, end: End, *ids: str) -> None:
        """Its client has heard how it ended."""
        told.end, told.ids, told.last = end, ids, self.now()

    @contextmanager
    def asking(self, *keys: str) -> Iterator[list[Told]]:
        """Round operations that end together: with the block, or as its error says. Errors of the bridge end here."""
        asked = [self.asked(key) for key in keys]
        end = End.OK
        try:
            yield asked
        except BridgeError as error:
            end = End.UNKNOWN if is_unknown(error) else End.FAIL
        finally:
            for told in asked:
                if told.last is None:
                    self.ended(told, end, *told.ids)


def is_unknown(error: BridgeError) -> bool:
    """Whether the error leaves open what has happened."""
    return isinstance(error, RemoteError) and error.delivery is Delivery.MAYBE


def violations(
    seed: int,
    told: Sequence[Told],
    made: Mapping[str, Sequence[str]],
    exchanges: Sequence[Exchange],
    *,
    preparing: str = "",
) -> list[Violation]:
    """All that is wrong; `made` has, by key, the ids of what now stands on the platform.

    `preparing` is how the paths of requests end that only prepare what the next one does.
    """
    by_key: defaultdict[str, list[Told]] = defaultdict(list)
    for one in told:
        by_key[one.key].append(one)
    found = []
    for key, about in by_key.items():
        naming: list[Exchange] = []
        if any(one.end is End.FAIL for one in about) or len(made.get(key, ())) != 1:
            naming = [one for one in exchanges if _may_have_made(one, key, preparing)]
        numbers = tuple(one.number for one in naming)
        done = {one.number for one in naming if one.executed}
        found += [Violation(seed, key, wrong, numbers) for wrong in _wrongs(about, made.get(key, ()), done)]
    return found


def _may_have_made(exchange: Exchange, key: str, preparing: str) -> bool:
    is_harmless = exchange.method == "GET" or (preparing and exchange.path.endswith(preparing))
    return not is_harmless and (key in exchange.body or key in exchange.path)


def _wrongs(told: Sequence[Told], made: Sequence[str], done: set[int]) -> Iterator[Wrong]:
    good = [one for one in told if one.end is End.OK]
    if good and not made:
        yield Wrong.LOST
    if len(made) > 1:
        yield Wrong.DOUBLED
    if made and any(set(one.ids) - set(made) for one in good):
        yield Wrong.FOREIGN
    if len(good) > 1 and any(one.for_one for one in good):
        yield Wrong.SHARED
    if (made and _all_failed(told)) or any(_all_failed(_at_work(told, number)) for number in done):
        yield Wrong.REFUSED_AND_DONE


def _at_work(told: Sequence[Told], number: int) -> list[Told]:
    """Those whose exchange this may have been."""
    return [one for one in told if one.first <= number and (one.last is None or number <= one.last)]


def _all_failed(told: Sequence[Told]) -> bool:
    return bool(told) and all(one.end is End.FAIL for one in told)
