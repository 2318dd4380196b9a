"""Plans, verdicts and endings of migrations, as tables for people and documents for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import click

from rpa_bridge import migration
from rpa_bridge.migration import Kind, Plan, Status, Step, Verdict, Verification

from .render import print_rich, show, show_rows, table, to_json
from .state import Output

PLAN = ("kind", "name", "to", "verdict", "count", "bytes", "blocked")
STATUS = ("kind", "name", "to", "states")
LETTERS = ("seq", "kind", "name", "src_id", "state", "code", "hint")
ENDINGS = ("kind", "name", "to", "removed", "stays")
VERDICTS = (
    "kind",
    "name",
    "to",
    "outcome",
    "expected",
    "found",
    "missing",
    "duplicated",
    "differing",
    "unverifiable",
    "letters",
)
PAUSE = "At work at the source; pause it, and plan again:"
MOST_NAMES = 8
"""Names that one sentence is said of, before the others are counted."""


def show_plan(plan: Plan, output: Output, *, of_life: str = PAUSE) -> None:
    """Prints a plan; `of_life` stands above what is at work at the source, which is left out without."""
    if output is not Output.TABLE:
        _show_document({"id": plan.id, **plan.as_json()}, output)
        return
    for arrow, side in (("", plan.source), ("  -> ", plan.target)):
        click.echo(f"{arrow}{side.connection} ({side.adapter}, {side.place})")
    click.echo()
    print_rich(table([_without_noughts(_members(step)) for step in plan.steps], PLAN))
    click.echo(f"\n{summary(plan)}")
    for title, verdict in (
        ("Blocked, and stays where it is:", Verdict.BLOCKED),
        ("Left to a person:", Verdict.MANUAL),
        ("Skipped:", Verdict.SKIP),
    ):
        _paragraph(title, _of_steps((step, (step.reason,)) for step in plan.steps if step.verdict is verdict))
    _paragraph("What changes on the way:", _of_steps((step, step.losses) for step in plan.steps))
    _paragraph(
        "Does not go, though the rest does:", (one for step in plan.steps if step.goes for one in _refused(step))
    )
    if of_life:
        _paragraph(of_life, plan.live)
    _paragraph("Mind:", plan.warnings)
    _paragraph("Stays behind whatever one does:", plan.left_behind)
    kept = [(step, (str(step.settings.get("guarantee", "")),)) for step in plan.steps if step.goes]
    _paragraph("What keeps items from being doubled:", _of_steps(kept))


def summary(plan: Plan) -> str:
    """How much of a plan goes, and what it costs."""
    verdicts = Counter(step.verdict for step in plan.steps)
    told = ", ".join(f"{verdicts[one]} {one}" for one in Verdict if verdicts[one]) or "nothing was found"
    if not any(step.goes for step in plan.steps):
        return told
    cost = plan.estimate
    time = f"about {cost.minutes:,.0f} minutes" if cost.minutes >= 1 else "less than a minute"
    return f"{told}; {time}: {cost.lists:,} lists and {cost.calls:,} other requests, to copy and to verify"


def show_status(status: Status, output: Output) -> None:
    """Prints how far a migration is."""
    if output is not Output.TABLE:
        _show_document(_plain(status), output)
        return
    rows = [
        _members(step) | {"states": ", ".join(f"{number} {state}" for state, number in step.counts.items())}
        for step in status.steps
        if step.counts
    ]
    if rows:
        print_rich(table(rows, STATUS))
        click.echo()
    stage = "nothing is copied yet"
    if status.stage is not None:
        stage = f"{status.stage} at {status.reached_at:%Y-%m-%d %H:%M:%SZ}"
    still = f"; {status.open} open, {status.unknown} of them perhaps sent" if status.open else ""
    click.echo(f"{stage}{still}")
    for one in status.letters:
        example = one.example
        click.echo(
            f"{one.number} {one.code}, such as {example.src_id} of {example.kind} {example.name}: {example.hint}"
        )


def show_verification(found: Verification, output: Output) -> None:
    """Prints what verification has found."""
    if output is not Output.TABLE:
        show_rows([_plain(one) for one in found.steps], VERDICTS, output)
        return
    print_rich(table([_members(one) for one in found.steps], VERDICTS))
    for step in found.steps:
        _paragraph(f"{step.kind} {step.name}:", (*step.findings, *step.warnings))


def show_endings(endings: Sequence[Any], output: Output) -> None:
    """Prints what was removed, and what stays."""
    show_rows([_plain(one) for one in endings], ENDINGS, output)
    if output is Output.TABLE:
        for one in endings:
            _paragraph(f"{one.kind} {one.name}:", one.findings)


def show_plain(value: Any, output: Output) -> None:
    """Prints a result's members."""
    show(_plain(value), output)


async def as_rows(letters: AsyncIterable[migration.Letter]) -> AsyncIterator[dict[str, Any]]:
    """Dead letters as rows."""
    async for one in letters:
        yield _members(one)


def _of_steps(said: Iterable[tuple[Step, Iterable[str]]]) -> Iterator[str]:
    """Each sentence once, behind what it is said of."""
    about: dict[tuple[Kind, str], list[str]] = {}
    for step, sentences in said:
        for sentence in filter(None, sentences):
            about.setdefault((step.kind, sentence), []).append(step.name or "files without a container")
    for (kind, sentence), names in about.items():
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        yield f"{kind} {', '.join(names[:MOST_NAMES])}{more}: {sentence}"


def _refused(step: Step) -> Iterator[str]:
    """Some of what does not go, and how much there is besides."""
    yield from (f"{step.kind} {step.name}: {one}" for one in step.examples)
    if step.examples and step.blocked > len(step.examples):
        yield f"{step.kind} {step.name}: and {step.blocked - len(step.examples)} more"


def _paragraph(title: str, lines: Iterable[str]) -> None:
    told = list(dict.fromkeys(lines))
    if told:
        click.echo("\n".join(["", title, *(f"  {line}" for line in told)]))


def _show_document(document: Any, output: Output) -> None:
    click.echo(to_json(document, indent=2 if output is Output.JSON else None))


def _without_noughts(row: dict[str, Any]) -> dict[str, Any]:
    return row | {name: row[name] or None for name in ("bytes", "blocked")}


def _members(value: Any) -> dict[str, Any]:
    return {one.name: getattr(value, one.name) for one in fields(value)}


def _plain(value: Any) -> Any:
    """Dataclasses as mappings, however deep."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(one) for name, one in _members(value).items()}
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
