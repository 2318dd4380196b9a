"""What things of the source become at the target. Nothing is sent here, and secrets only pass through."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from pydantic import SecretStr

from rpa_bridge.contract.adapter import Adapter
from rpa_bridge.contract.artifacts import Artifact
from rpa_bridge.contract.assets import Asset, AssetType, AssetValue
from rpa_bridge.contract.features import Limits
from rpa_bridge.contract.model import plain
from rpa_bridge.contract.queues import Field, Item, ItemDraft, Queue, QueueDraft
from rpa_bridge.errors import NotFoundError

from .canonical import canonical, hash_of
from .converting import converted, json_text, refused
from .documents import Step
from .rule_parts import QueueRule, ValueRule, filled_in
from .rules import Rules
from .selection import fits, path_of

Fields = Mapping[str, SecretStr]
"""The fields of a credential."""

NESTED = "lists and objects in values become JSON text"
NOT_BEFORE = (
    "not_before is dropped: an item that was to wait can be taken at once (the rule `times` keeps it in a value)"
)
REFERENCE = "references are dropped"
DUE_AT = "due_at is dropped (the rule `times` keeps it in a value)"
PROGRESS = "notes of progress are dropped"
RETRIES = "retries become first attempts, with all retries before them"

AS_IT_IS = ValueRule()

LONGEST_MARK = 64
_IN_MARKS = re.compile(r"[A-Za-z0-9_/.-]+")
_HASH_LENGTH = 40
"""Letters of an id's hash that stand for an id which fits no mark."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What an item becomes, and what it loses by it."""

    draft: ItemDraft
    losses: tuple[str, ...]
    bytes: int
    """Of its values as JSON."""


class ItemMapper:
    """What the items of one queue become."""

    def __init__(self, rules: Rules, queue: str, limits: Limits, prefix: str) -> None:
        """`queue` is its name at the source, `limits` are the target's, and `prefix` begins all marks."""
        self._rule, self._limits, self._prefix = rules.queue(queue), limits, prefix

    def draft(self, item: Item) -> ItemDraft:
        """What the target gets. Raises InvalidError for an item that cannot be carried over."""
        return self.mapped(item).draft

    def losses(self, item: Item) -> tuple[str, ...]:
        """What the item loses, in sentences that are the same for the same kind of loss. Raises InvalidError."""
        return self.mapped(item).losses

    def mark(self, item: Item) -> str:
        """What the item is found by at the target."""
        mark = f"{self._prefix}{item.id}"
        if len(mark) <= LONGEST_MARK and _IN_MARKS.fullmatch(mark):
            return mark
        return self._prefix + sha256(item.id.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH]

    def mapped(self, item: Item) -> Mapped:
        """What the target gets, and what is lost. Raises InvalidError for an item that cannot be carried over."""
        losses: dict[str, None] = {}
        rule, keeps_times = self._rule, self._rule.times.keep and self._limits.item_times
        values = self._values(item, losses)
        self._write(values, rule.reference.into, self._reference(item))
        self._write(values, rule.times.not_before, _moment(item.not_before))
        self._write(values, rule.times.due_at, _moment(item.due_at))
        if item.not_before is not None and not keeps_times and rule.times.not_before is None:
            losses[NOT_BEFORE] = None
        if item.due_at is not None and not keeps_times and rule.times.due_at is None:
            losses[DUE_AT] = None
        if item.reference is not None and not rule.reference.keep and rule.reference.into is None:
            losses[REFERENCE] = None
        if item.progress:
            losses[PROGRESS] = None
        if item.attempt > 1:
            losses[RETRIES] = None
        priority = rule.priorities.get(item.priority, item.priority)
        if priority is not item.priority:
            losses[f"priority {item.priority} becomes {priority}"] = None
        draft = ItemDraft(
            values=values,
            reference=self._reference(item) if rule.reference.keep else None,
            priority=priority,
            not_before=item.not_before if keeps_times else None,
            due_at=item.due_at if keeps_times else None,
            mark=self.mark(item),
        )
        return Mapped(draft, tuple(losses), _bytes(values))

    def _values(self, item: Item, losses: dict[str, None]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, value in item.values.items():
            rule = self._rule.values.get(name, AS_IT_IS)
            if rule.drop:
                losses[f"value {name!r} is dropped"] = None
            elif not rule.is_constant:
                self._write(values, rule.rename or name, self._value(name, value, rule, losses), even_null=True)
            elif value != rule.constant:
                losses[f"value {name!r} becomes what the rules give"] = None
        for name, rule in self._rule.values.items():
            if rule.is_constant:
                self._write(values, rule.rename or name, rule.constant, even_null=True)
        return values

    def _value(self, name: str, value: Any, rule: ValueRule, losses: dict[str, None]) -> Any:
        if rule.type is not None:
            new = converted(name, value, rule.type)
            if type(new) is not type(value):
                losses[f"value {name!r} becomes {rule.type}"] = None
            return new
        as_text = self._rule.nested == "json" or (self._rule.nested is None and self._limits.flat_values)
        if not as_text or not isinstance(value, dict | list):
            return value
        losses[NESTED] = None
        try:
            return json_text(value)
        except (TypeError, ValueError, RecursionError):
            raise refused(f"the value {name!r} cannot be written as JSON; correct it at the source") from None

    @staticmethod
    def _write(values: dict[str, Any], name: str | None, value: Any, *, even_null: bool = False) -> None:
        if name is None or (value is None and not even_null):
            return
        if name in values:
            raise refused(f"two of its values become {name!r}; rename one of them in the rules")
        values[name] = value

    def _reference(self, item: Item) -> str | None:
        source = self._rule.reference.source
        value = None if source is None else item.values.get(source)
        return item.reference if value is None else str(converted(str(source), value, "text"))


def _bytes(values: dict[str, Any]) -> int:
    """How long the values are as JSON. Raises InvalidError for what JSON cannot hold."""
    try:
        return len(canonical(values).encode("utf-8", "surrogatepass"))
    except (TypeError, ValueError, RecursionError):
        raise refused("its values cannot be written as JSON; correct them at the source") from None


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds")


def field_of(rule: QueueRule, one: Field) -> Field | None:
    """What becomes of a field of a queue whose items' values are changed; None where they are dropped."""
    value = rule.values.get(one.name, AS_IT_IS)
    if value.drop:
        return None
    return replace(one, name=value.rename or one.name, type=value.type or one.type)


def queue_settings(draft: QueueDraft, active: bool) -> dict[str, Any]:
    """What a step says of a queue: all of the draft but its name."""
    return {
        "description": draft.description,
        "retries": draft.retries,
        "unique_references": draft.unique_references,
        "fields": [plain(one) for one in draft.fields],
        "active": active,
    }


def queue_draft(step: Step) -> QueueDraft:
    """The queue that a step makes."""
    given = step.settings
    return QueueDraft(
        name=step.to,
        description=given["description"],
        retries=given["retries"],
        unique_references=given["unique_references"],
        fields=tuple(Field(**one) for one in given["fields"]),
    )


def queue_hash(queue: Queue | QueueDraft) -> str:
    """Of a queue's settings, the same for a draft and for what it became: not of its name and whether it is active."""
    return hash_of(
        [queue.description or None, queue.retries, queue.unique_references, [plain(one) for one in queue.fields]]
    )


def asset_type(value: AssetValue | None) -> AssetType:
    """The type of an asset with this value."""
    if isinstance(value, bool):  # which is an int, too
        return AssetType.BOOLEAN
    return AssetType.INTEGER if isinstance(value, int) else AssetType.TEXT


def asset_put(step: Step, asset: Asset) -> tuple[str, AssetValue, str | None]:
    """What `assets.put` takes. Raises InvalidError for an asset that has no value for everybody."""
    return step.to, _value_of(asset), step.settings.get("description")


def goes_into_credential(step: Step) -> bool:
    """Whether an asset becomes a field of a credential, because the target has no assets."""
    return "into_credential" in step.settings


def asset_as_field(step: Step, asset: Asset) -> Fields:
    """What `credentials.put` takes for an asset. Raises InvalidError."""
    return {step.settings["field"]: SecretStr(converted(asset.name, _value_of(asset), "text"))}


def _value_of(asset: Asset) -> AssetValue:
    if asset.value is None or asset.type is AssetType.OTHER:
        raise refused(f"the asset {asset.name!r} has no value that another platform could hold; put one there by hand")
    return asset.value


def credential_name(step: Step) -> str:
    """The credential that a step writes at the target."""
    return str(step.settings.get("into_credential", step.to))


def credential_description(step: Step) -> str | None:
    """Its description, where the target can have one."""
    return None if goes_into_credential(step) else step.settings.get("description")


async def secret_fields(step: Step, source: Adapter, resolve: Callable[[str], SecretStr]) -> Fields:
    """What `credentials.put` takes: from the platform, or from where the rules' references say.

    Raises what `credentials.reveal` and `resolve` raise, and NotFoundError for a field that is no longer there.
    """
    wanted: dict[str, dict[str, str]] = step.settings["fields"]
    shown: Fields = {}
    if any("field" in one for one in wanted.values()):
        shown = (await source.credentials.reveal(step.name)).fields
    missing = [one["field"] for one in wanted.values() if "field" in one and one["field"] not in shown]
    if missing:
        raise NotFoundError(f"the credential {step.name!r} no longer has {', '.join(missing)}; plan again")
    return {to: shown[one["field"]] if "field" in one else resolve(one["reference"]) for to, one in wanted.items()}


def file_place(step: Step, file: Artifact) -> tuple[str, str | None, str | None]:
    """Where a file goes: its name, container and job at the target."""
    rules: list[dict[str, str]] = step.settings["places"]
    path = path_of(file.container, file.name)
    rule = next(one for one in rules if fits(one["match"], path, of_path=True))

    def filled(what: str) -> str | None:
        blanks = {"name": file.name, "container": file.container, "job": file.job}
        return filled_in(rule[what], **blanks) or None if what in rule else None

    return filled("name") or file.name, filled("container"), filled("job")
