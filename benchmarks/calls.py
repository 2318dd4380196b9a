"""One call of each kind: ours with everything on, raw aiohttp, and the official SDKs, in turn in one run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .arena import PLAIN, TLS, Arena, Child
from .contenders.base import ADD_ITEM, KINDS, OF_UIPATH, PUSH_ENTRY, READ_ASSET, READ_TASK, START_JOB
from .figures import Bar, Figure, Goal, Row, Section

AT_ONCE = (1, 8, 32, 64)
WITH_SDKS = (1, 32)
OVER_TLS = (ADD_ITEM, READ_ASSET, PUSH_ENTRY, READ_TASK)
CPU_GOALS = {1: 1.35, 32: 1.5, 64: 1.5}
READS = frozenset({READ_ASSET, READ_TASK})
SDKS = {True: {"uipath-sdk": "sync", "uipath-sdk-async": "async"}, False: {"botcity-sdk": "threads"}}
"""Those that know a kind, by whether it is UiPath's."""
IN_FLIGHT = {"http": {"in_flight": 64}}
"""So that the most that is asked for at once is let through."""
VARIANTS: dict[str, dict[str, Any]] = {
    "outbox on, the default": {},
    "outbox off": {"outbox": "off"},
    "outbox durable": {"outbox": "durable"},
    "outbox on, `http.rate` set, and shared by processes": {"http": {"in_flight": 64, "rate": 1_000_000}},
}


class Rounds:
    """What the contenders needed for one kind at one concurrency, round by round."""

    def __init__(self, arena: Arena, kind: str, at_once: int, address: str = PLAIN) -> None:
        self._arena, self._kind, self._at_once, self._address = arena, kind, at_once, address
        self.cpu: dict[str, list[float]] = {}
        """Seconds of CPU a call, by contender."""
        self.rate: dict[str, list[float]] = {}
        """Calls a second."""
        self.server_share = 0.0
        """How much of raw aiohttp's time the server was busy, at most."""

    def run(self, names: Iterable[str], sdks: Iterable[str] = ()) -> Rounds:
        """Warms up, then lets them all do a round in turn, the SDKs fewer of them with fewer calls."""
        effort, names, sdks = self._arena.effort, list(names), list(sdks)
        for name in (*names, *sdks):  # they start side by side
            self._child(name)
        for name in (*names, *sdks):
            self._round(name, max(effort.calls // 10, self._at_once))
        self.cpu, self.rate = {}, {}
        for number in range(effort.rounds):
            before = self._arena.server_cpu()
            self._round("raw", effort.calls)
            busy = (self._arena.server_cpu() - before) * self.rate["raw"][-1] / effort.calls
            self.server_share = max(self.server_share, busy)
            for name in names:
                if name != "raw":
                    self._round(name, effort.calls)
            if number < effort.sdk_rounds:
                for name in sdks:
                    self._round(name, max(effort.calls // 4, 1))
        return self

    def cpu_over_raw(self, name: str) -> Figure:
        """CPU a call, in those of raw aiohttp."""
        return Figure.ratio(self.cpu[name], self.cpu["raw"])

    def rate_over(self, name: str, other: str) -> Figure:
        """Calls a second, in those of another contender."""
        return Figure.ratio(self.rate[name], self.rate[other])

    def _child(self, name: str) -> Child:
        if name in VARIANTS:
            return self._arena.keep("ours", self._address, **(IN_FLIGHT | VARIANTS[name]))
        return self._arena.keep(name, self._address, **(IN_FLIGHT if name == "ours" else {}))

    def _round(self, name: str, count: int) -> None:
        found = self._child(name).ask(do="calls", kind=self._kind, count=count, at_once=self._at_once)
        self.cpu.setdefault(name, []).append(found["cpu"] / count)
        self.rate.setdefault(name, []).append(count / found["wall"])


def sections(arena: Arena) -> list[Section]:
    """One call of each kind, against the SDKs, and what our safety nets cost."""
    measured = {
        (kind, at_once): Rounds(arena, kind, at_once).run(
            ("raw", "ours") if kind in READS else ("raw", "fresh", "ours"),
            SDKS[kind in OF_UIPATH] if at_once in WITH_SDKS else (),
        )
        for kind in KINDS
        for at_once in AT_ONCE
    }
    return [_one_call(measured), _against_sdks(arena, measured), _prices(arena)]


def _one_call(measured: dict[tuple[str, int], Rounds]) -> Section:
    busy = max(rounds.server_share for rounds in measured.values())
    return Section(
        title="One call",
        intro="CPU of the client for a call, and calls a second, as multiples of raw aiohttp's in the same run. "
        "`new connection` is raw aiohttp with a connection for each call, as ours had it before ADR 0007. "
        f"The server was busy for at most {busy:.0%} of raw aiohttp's time.",
        columns=(
            "call",
            "at once",
            "raw: CPU",
            "raw: calls/s",
            "CPU, ours / raw",
            "CPU, new connection / raw",
            "CPU, official SDK / raw",
            "calls/s, ours / raw",
        ),
        rows=[_call_row(kind, at_once, rounds) for (kind, at_once), rounds in measured.items()],
        plot="CPU of one call, raw aiohttp = 1",
        bars=[_bar(kind, at_once, measured[kind, at_once]) for kind in KINDS for at_once in WITH_SDKS],
    )


def _call_row(kind: str, at_once: int, rounds: Rounds) -> Row:
    ours = rounds.cpu_over_raw("ours")
    fresh = None if kind in READS else rounds.cpu_over_raw("fresh")
    sdks = [f"{rounds.cpu_over_raw(name)} {how}" for name, how in SDKS[kind in OF_UIPATH].items() if name in rounds.cpu]
    raw_cpu, raw_rate = Figure.of(rounds.cpu["raw"]), Figure.of(rounds.rate["raw"])
    return Row(
        cells=(
            kind,
            at_once,
            f"{raw_cpu.middle * 1e6:.0f} µs",
            f"{raw_rate.middle:,.0f}",
            ours,
            fresh or "–",
            "; ".join(sdks) or "–",
            rounds.rate_over("ours", "raw"),
        ),
        name=f"{kind}, {at_once} at a time",
        figure=ours,
        goal=Goal(limit=CPU_GOALS[at_once], why=_why(kind)) if at_once in CPU_GOALS else None,
    )


def _why(kind: str) -> str:
    if kind in READS:
        return (
            "a read shares connections, each looked at before it is used again, has a deadline, and ends as a typed "
            "value that was compared with what was asked."
        )
    return (
        "an effect stands in the outbox before it is sent and is crossed out after it, runs in a task that outlives a "
        "cancellation, has a deadline, and an answer that is looked through for its mark before it becomes a typed "
        "value ([ADR 0007](adr/0007-what-the-hot-path-trades.md) has what each of them costs)."
    )


def _bar(kind: str, at_once: int, rounds: Rounds) -> Bar:
    sdk = min(rounds.cpu_over_raw(name).middle for name in SDKS[kind in OF_UIPATH])
    values = {"rpa_bridge": rounds.cpu_over_raw("ours").middle, "official SDK": sdk}
    return Bar(name=f"{kind}, {at_once} at a time", values=values, goal=CPU_GOALS[at_once])


def _against_sdks(arena: Arena, measured: dict[tuple[str, int], Rounds]) -> Section:
    rows = [_sdk_row(kind, "", measured[kind, 32], 6.0 if kind in OF_UIPATH else 3.5) for kind in KINDS]
    for kind in OVER_TLS:
        over_tls = Rounds(arena, kind, 32, TLS).run(("raw", "ours"), SDKS[kind in OF_UIPATH])
        rows.append(_sdk_row(kind, ", TLS", over_tls, 8.0))
    return Section(
        title="Against the official SDKs",
        intro="Calls a second with 32 under way, against the faster way in which the SDK can be used.",
        columns=("call", "the SDK's faster way", "SDK: calls/s", "ours: calls/s", "calls/s, ours / SDK"),
        rows=rows,
    )


def _sdk_row(kind: str, how: str, rounds: Rounds, limit: float) -> Row:
    sdks = SDKS[kind in OF_UIPATH]
    fastest = max(sdks, key=lambda name: Figure.of(rounds.rate[name]).middle)
    figure = rounds.rate_over("ours", fastest)
    ours, theirs = (Figure.of(rounds.rate[name]).middle for name in ("ours", fastest))
    return Row(
        cells=(f"{kind}{how}", sdks[fastest], f"{theirs:,.0f}", f"{ours:,.0f}", figure),
        name=f"{kind}{how}",
        figure=figure,
        goal=Goal(limit=limit, at_most=False, why=_why(kind)),
    )


def _prices(arena: Arena) -> Section:
    rows = []
    for at_once in WITH_SDKS:
        rounds = Rounds(arena, START_JOB, at_once).run(("raw", *VARIANTS))
        for name in VARIANTS:
            figure = rounds.cpu_over_raw(name)
            cpu = Figure.of(rounds.cpu[name]).middle
            rate = Figure.of(rounds.rate[name]).middle
            cells = (name, at_once, f"{cpu * 1e6:.0f} µs", f"{rate:,.0f}", figure)
            rows.append(Row(cells=cells, name=f"{name}, {at_once} at a time", figure=figure))
    return Section(
        title="What the safety nets cost",
        intro="A job is started, with other settings each time.",
        columns=("settings", "at once", "CPU", "calls/s", "CPU, ours / raw"),
        rows=rows,
    )
