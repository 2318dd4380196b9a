"""Rules: how things are changed on their way. They are written by people, in TOML or JSON, and hold no secret."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import ValidationError, field_validator

from rpa_bridge.errors import ConfigError

from .documents import Conflict, Kind
from .rule_parts import ArtifactRule, AssetRule, ConflictRules, CredentialRule, Part, QueueRule
from .selection import compiled, fits

MOST_PROBLEMS = 10
"""How many problems one error names."""
FORMATS = ("toml", "json")

R = TypeVar("R", QueueRule, AssetRule, CredentialRule, ArtifactRule)


class Rules(Part):
    """All rules of a migration. Of each kind the first one that fits counts, and no other."""

    queues: tuple[QueueRule, ...] = ()
    assets: tuple[AssetRule, ...] = ()
    credentials: tuple[CredentialRule, ...] = ()
    artifacts: tuple[ArtifactRule, ...] = ()
    conflicts: ConflictRules = ConflictRules()

    @field_validator("queues", "assets", "credentials", "artifacts")
    @classmethod
    def _have_patterns(cls, rules: tuple[R, ...]) -> tuple[R, ...]:
        for rule in rules:
            try:
                compiled(rule.match, of_path=isinstance(rule, ArtifactRule))
            except ConfigError as error:
                raise ValueError(f"has a match that is none: {error}") from None
        return rules

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """The rules that a mapping describes, as a file would. Raises ConfigError that names each place."""
        return cls._checked(given, "the rules")

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """The rules of a file whose name ends in .toml or .json. Raises ConfigError."""
        file, problem = Path(path), ""
        kind = file.suffix.removeprefix(".").lower()
        if kind not in FORMATS:
            raise ConfigError(f"rules are kept in a file whose name ends in .toml or .json, and {file} does not")
        try:
            return cls.loads(file.read_text(encoding="utf-8-sig"), kind, source=str(file))
        except OSError as error:
            problem = error.strerror or type(error).__name__
        except UnicodeDecodeError:
            problem = "it is not UTF-8 text"
        raise ConfigError(f"the rules in {file} cannot be read ({problem})")

    @classmethod
    def loads(cls, text: str, kind: str, *, source: str = "the rules") -> Self:
        """The rules of a text, which is "toml" or "json". Raises ConfigError."""
        if kind not in FORMATS:
            raise ConfigError(f"rules are written in {' or '.join(FORMATS)}, not in {kind}")
        parse: Callable[[str], Any] = tomllib.loads if kind == "toml" else _json
        try:
            given = parse(text)
        except (ValueError, RecursionError) as error:
            where = f" ({error})" if isinstance(error, tomllib.TOMLDecodeError | json.JSONDecodeError) else ""
            problem = f"{source} cannot be read as {kind.upper()}{where}"
        else:
            return cls._checked(given, source)
        raise ConfigError(problem)

    @classmethod
    def _checked(cls, given: Any, source: str) -> Self:
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            found = [_problem(one["loc"], one["msg"]) for one in error.errors(include_url=False, include_input=False)]
        problems = list(dict.fromkeys(found))
        more = f"; and {len(problems) - MOST_PROBLEMS} more" if len(problems) > MOST_PROBLEMS else ""
        raise ConfigError(f"{source}: {'; '.join(problems[:MOST_PROBLEMS])}{more}")

    def as_json(self) -> dict[str, Any]:
        """What `of` takes: only what was given."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def queue(self, name: str) -> QueueRule:
        """The rule for a queue and its items."""
        return _first(self.queues, name) or QueueRule()

    def asset(self, name: str) -> AssetRule:
        """The rule for an asset."""
        return _first(self.assets, name) or AssetRule()

    def credential(self, name: str) -> CredentialRule:
        """The rule for a credential."""
        return _first(self.credentials, name) or CredentialRule()

    @property
    def by_kind(self) -> dict[str, Conflict]:
        """What to do with things that the target has already."""
        rules = self.conflicts
        return {
            Kind.QUEUE: rules.queues,
            Kind.ITEMS: rules.items,
            Kind.ASSET: rules.assets,
            Kind.CREDENTIAL: rules.credentials,
            Kind.ARTIFACTS: rules.artifacts,
        }


def _first(rules: Iterable[R], name: str) -> R | None:
    return next((one for one in rules if fits(one.match, name)), None)


def _problem(place: tuple[int | str, ...], message: str) -> str:
    """The place as people write it, and what is wrong there."""
    text = ""
    for step in place:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step != "[key]":  # pydantic's word for a name, which stands there already
            text += f".{step}" if text else step
    said = message.removeprefix("Value error, ").removeprefix("Assertion failed, ").removeprefix("Input ")
    return f"{text} {said}".strip()


def _json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_without_rivals)


def _without_rivals(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for number, (name, _) in enumerate(pairs) if name in dict(pairs[:number]))
        raise ConfigError(f"the rules name {twice!r} twice in one place; remove one of them")
    return found
