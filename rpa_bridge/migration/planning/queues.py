"""Queues themselves: what becomes of their definitions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.queues import Field, Queue, QueueDraft
from rpa_bridge.errors import InvalidError, UnsupportedError
from rpa_bridge.migration import inventory, mapping
from rpa_bridge.migration.documents import Conflict, Kind, Step, Verdict
from rpa_bridge.migration.rule_parts import QueueRule, filled_in
from rpa_bridge.migration.selection import Picker

from .common import ByName, Survey, blocked, going, in_the_way, lacks, skipped


@dataclass(frozen=True, slots=True)
class QueueVerdict:
    """What becomes of a queue, and what its items are in for."""

    queue: Queue
    step: Step
    at_target: Queue | QueueDraft
    """What its items go into."""


async def weigh_queues(survey: Survey) -> list[QueueVerdict]:
    """What becomes of the selected queues, by name."""
    if not survey.select.queues or not survey.is_readable(survey.source.queues, Feature.QUEUE_FIND):
        return []
    picker, rules = Picker(survey.select.queues), Picker(one.match for one in survey.rules.queues)
    found = await inventory.queues(survey.source, picker)
    for queue in found:
        rules.picks(queue.name)
    survey.warn_of_unused("queues", picker, rules)
    there = ByName(await _queues_of_target(survey))
    verdicts: list[QueueVerdict] = []
    for queue in found:
        taken = {one.step.to.casefold(): one.queue.name for one in verdicts}
        verdicts.append(_weigh(survey, queue, there, taken))
    return verdicts


def _weigh(survey: Survey, queue: Queue, there: ByName[Queue], taken: dict[str, str]) -> QueueVerdict:
    rule = survey.rules.queue(queue.name)
    draft, losses = _drafted(survey, queue, rule)
    found = there.get(draft.name)
    step = Step(
        kind=Kind.QUEUE,
        name=queue.name,
        to=draft.name,
        verdict=Verdict.COPY,
        exists=found is not None,
        settings=mapping.queue_settings(draft, queue.active),
    )
    problem = _problem(survey, queue, draft, found, taken)
    if problem:
        return QueueVerdict(queue, blocked(step, problem), draft)
    if found is None:
        return QueueVerdict(queue, going(step, losses), draft)
    step = replace(step, to=found.name)
    survey.warnings.append(
        f"queue {found.name!r} is at the target already and stays as active as it is: items go in beside those that "
        f"it has, and whoever works there takes them as they come"
    )
    if _stays(survey, draft, found):
        same = "the same" if mapping.queue_hash(found) == mapping.queue_hash(draft) else "other"
        reason = f"the target has it already, with {same} settings, and it stays as it is"
        return QueueVerdict(queue, skipped(step, reason), found)
    return QueueVerdict(queue, going(step, losses), draft)


def _stays(survey: Survey, draft: QueueDraft, found: Queue) -> bool:
    """Whether the target's own queue is good enough."""
    is_the_same = mapping.queue_hash(found) == mapping.queue_hash(draft)
    return is_the_same or survey.policy(Kind.QUEUE) is Conflict.SKIP


def _problem(survey: Survey, queue: Queue, draft: QueueDraft, found: Queue | None, taken: dict[str, str]) -> str:
    """Why the queue cannot be had at the target; empty when it can."""
    rival = taken.get(draft.name.casefold())
    if rival is not None:
        return f"queue {rival!r} becomes {draft.name!r} already; tell them apart with the rule queues.rename"
    if survey.is_one_place and draft.name.casefold() == queue.name.casefold():
        return "source and target are the same queue; give it another name with the rule queues.rename"
    if found is not None and _stays(survey, draft, found):
        return ""
    if found is not None and survey.policy(Kind.QUEUE) is Conflict.FAIL:
        return in_the_way("queue", "queues", found.name)
    needed = Feature.QUEUE_CREATE if found is None else Feature.QUEUE_UPDATE
    missing = lacks(survey.target, survey.target.queues, needed)
    if missing:
        return f'the target {missing}; make the queue there, and set conflicts.queues to "skip"'
    try:
        survey.target.queues.check_queue(draft)
    except (InvalidError, UnsupportedError) as error:
        return f"{error} (the rules for queues can change its name, description and retries)"
    return ""


def _drafted(survey: Survey, queue: Queue, rule: QueueRule) -> tuple[QueueDraft, list[str]]:
    """The queue as the target can have it, and what it loses by it."""
    limits, losses = survey.limits, list[str]()
    description = queue.description if rule.description is None else rule.description
    if description and "queues" not in limits.descriptions:
        losses.append("its description is dropped: the target's queues have none")
        description = None
    is_unique = queue.unique_references and limits.unique_references
    if queue.unique_references and not is_unique:
        losses.append("references are no longer unique: the target takes a second item with the same one")
    if not queue.active and Feature.QUEUE_DEACTIVATE not in survey.target.capabilities:
        losses.append("it will be active: the target's queues cannot be deactivated")
    draft = QueueDraft(
        name=filled_in(rule.rename or "{name}", name=queue.name),
        description=description or None,
        retries=queue.retries if rule.retries is None else rule.retries,
        unique_references=is_unique,
        fields=tuple(_fields(survey, queue.fields, rule, losses)),
    )
    return draft, losses


def _fields(survey: Survey, fields: Iterable[Field], rule: QueueRule, losses: list[str]) -> Iterable[Field]:
    """The fields that the target's queue can expect."""
    limits = survey.limits
    for one in fields:
        new = mapping.field_of(rule, one) if rule.fields == "keep" else None
        if new is None:
            losses.append(f"field {one.name!r} is dropped, as the rules say")
            continue
        if not limits.field_types or not limits.field_types & {new.type, "text"}:
            losses.append(f"field {one.name!r} is dropped: values of this name are taken without a check")
            continue
        if new.type not in limits.field_types:
            losses.append(f"field {one.name!r} becomes text: the target's queues have none of type {new.type}")
            new = replace(new, type="text")
        if new.required and not limits.required_fields:
            losses.append(f"field {one.name!r} is no longer required: the target's queues cannot ask for that")
            new = replace(new, required=False)
        yield new


async def _queues_of_target(survey: Survey) -> list[Queue]:
    if lacks(survey.target, survey.target.queues, Feature.QUEUE_FIND):
        return []
    return [one async for one in survey.target.queues.find()]
