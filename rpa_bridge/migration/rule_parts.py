"""The parts of the rules, kind by kind: what people write, checked and explained."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    field_validator,
    model_validator,
)

from rpa_bridge.contract.model import Priority

from .documents import Conflict
from .selection import did_you_mean

_BLANK = re.compile(r"\{([^{}]*)\}")
_REFERENCE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*|\$\{(env|file|keyring):[^{}]+\}")


def filled_in(template: str, **blanks: str | None) -> str:
    """The template with its {blanks} filled in; one without a value is left empty."""
    return _BLANK.sub(lambda found: blanks[found[1]] or "", template)


def _template(*blanks: str) -> AfterValidator:
    def check(template: str) -> str:
        for name in _BLANK.findall(template):
            if name not in blanks:
                raise ValueError(f"has the blank {{{name}}}{did_you_mean(name, blanks)}")
        if not template.strip():
            raise ValueError("is empty; leave it out")
        return template

    return AfterValidator(check)


Renaming = Annotated[str, _template("name")]
FileTemplate = Annotated[str, _template("name", "container", "job")]
Text = Annotated[str, Field(min_length=1)]


class Part(BaseModel):
    """One part of the rules. Unknown names are refused; values are never shown in errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _knows_all_names(cls, given: Any) -> Any:
        if isinstance(given, Mapping):
            known = [one.alias or name for name, one in cls.model_fields.items()]
            for name in given:
                if name not in known:
                    raise ValueError(f"has {name!r}, which is not known{did_you_mean(name, known)}")
        return given


class ValueRule(Part):
    """What becomes of one value of an item, which is named as at the source."""

    rename: Text | None = None
    type: Literal["text", "integer", "number", "boolean"] | None = None
    drop: StrictBool = False
    constant: Any = None
    """What the target gets instead, also where the source has none: text, a number, true, false or null."""

    @field_validator("constant")
    @classmethod
    def _is_plain(cls, given: Any) -> Any:
        if given is not None and not isinstance(given, str | int | float | bool):
            raise ValueError("must be text, a number, true or false")
        return given

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if sum((self.drop, self.is_constant, self.type is not None)) > 1:
            raise ValueError("can have only one of drop, constant and type")
        return self

    @property
    def is_constant(self) -> bool:
        """Whether the value is given here."""
        return "constant" in self.model_fields_set


class ReferenceRule(Part):
    """Where an item's reference comes from, and where it goes; short: "keep" or "drop"."""

    source: Text | None = Field(default=None, alias="from")
    """A value of the item that becomes its reference; an item without it keeps its own."""
    into: Text | None = None
    """A value at the target that holds the reference, too."""
    keep: StrictBool = True
    """False leaves the item without a reference."""


class TimesRule(Part):
    """What becomes of an item's times; short: "keep" or "drop"."""

    not_before: Text | None = None
    """The value at the target that holds the time before which the item must not be taken."""
    due_at: Text | None = None
    """The value at the target that holds the time at which the item is due."""
    keep: StrictBool = True
    """False drops the times themselves; a target without times of items drops them anyway."""


class QueueRule(Part):
    """What becomes of the queues that `match` fits, and of their items."""

    match: str = "*"
    rename: Renaming | None = None
    description: str | None = None
    """Instead of the queue's own."""
    retries: StrictInt | None = None
    """Instead of the queue's own."""
    fields: Literal["keep", "drop"] = "keep"
    """Whether the target's queue expects the values that the source's does."""
    values: dict[str, ValueRule] = Field(default_factory=dict)
    """By the name at the source."""
    reference: ReferenceRule = ReferenceRule()
    priorities: dict[Priority, Priority] = Field(default_factory=dict)
    """What low, normal and high become."""
    times: TimesRule = TimesRule()
    nested: Literal["json", "keep"] | None = None
    """Whether lists and objects become JSON text; None: where the target cannot hold them."""

    @field_validator("reference", "times", mode="before")
    @classmethod
    def _in_short(cls, given: Any) -> Any:
        if isinstance(given, str) and given in ("keep", "drop"):
            return {"keep": given == "keep"}
        if isinstance(given, str):
            raise ValueError('must be "keep", "drop" or a table')
        return given


class AssetRule(Part):
    """What becomes of the assets that `match` fits."""

    match: str = "*"
    rename: Renaming | None = None
    into_credential: Text | None = None
    """The credential at the target that holds them, each as one field: for a target without assets."""


def _reference(given: str) -> str:
    if not _REFERENCE.fullmatch(given):
        raise ValueError(
            "must be a reference alone, such as ${env:NAME}, ${file:PATH} or ${keyring:SERVICE/USER}; "
            "rules hold no secret"
        )
    return given


class CredentialRule(Part):
    """What becomes of the credentials that `match` fits."""

    match: str = "*"
    rename: Renaming | None = None
    fields: dict[str, str] = Field(default_factory=dict)
    """Which field of the target a field of the source becomes; "" leaves it out."""
    values: dict[str, Annotated[str, AfterValidator(_reference)]] = Field(default_factory=dict)
    """Where the value of a target's field is kept: a reference, such as ${env:NAME}."""


class ArtifactRule(Part):
    """Where the files go that `match` fits, as "container/name"; blanks are {name}, {container} and {job}."""

    match: str = "**"
    container: FileTemplate | None = None
    job: FileTemplate | None = None
    name: FileTemplate | None = None


class ConflictRules(Part):
    """What to do with things that the target has already."""

    queues: Conflict = Conflict.FAIL
    items: Literal[Conflict.FAIL, Conflict.SKIP] = Conflict.FAIL
    """Of items whose reference the target's queue has already, and takes only once."""
    assets: Conflict = Conflict.FAIL
    credentials: Conflict = Conflict.FAIL
    artifacts: Conflict = Conflict.FAIL
