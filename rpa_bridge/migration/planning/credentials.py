"""Credentials: where each field's value will come from. A plan never holds a value."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

from rpa_bridge.contract.adapter import Capabilities
from rpa_bridge.contract.credentials import Credential
from rpa_bridge.contract.features import Feature
from rpa_bridge.migration import inventory
from rpa_bridge.migration.documents import Conflict, Kind, Step, Verdict
from rpa_bridge.migration.rule_parts import CredentialRule, filled_in
from rpa_bridge.migration.selection import Picker

from .common import ByName, Survey, blocked, going, in_the_way, lacks, manual, skipped


async def weigh_credentials(survey: Survey) -> list[Step]:
    """What becomes of the selected credentials, by name."""
    if not survey.select.credentials or not survey.is_readable(survey.source.credentials):
        return []
    picker, rules = Picker(survey.select.credentials), Picker(one.match for one in survey.rules.credentials)
    found = await inventory.credentials(survey.source, picker)
    for credential in found:
        rules.picks(credential.name)
    survey.warn_of_unused("credentials", picker, rules)
    target = survey.target.credentials
    there = ByName([] if target.is_absent else [one async for one in target.find()])
    steps: list[Step] = []
    for credential in found:
        taken = {one.to.casefold(): one.name for one in steps}
        steps.append(_weigh(survey, credential, there, taken))
    return steps


def _weigh(survey: Survey, credential: Credential, there: ByName[Credential], taken: dict[str, str]) -> Step:
    rule = survey.rules.credential(credential.name)
    name = filled_in(rule.rename or "{name}", name=credential.name)
    found = there.get(name)
    fields = _Fields.of(survey.source.capabilities, credential, rule)
    step = Step(
        kind=Kind.CREDENTIAL,
        name=credential.name,
        to=name if found is None else found.name,
        verdict=Verdict.COPY,
        exists=found is not None,
        settings={"fields": fields.sources},
    )
    problem = _problem(survey, step, fields, taken)
    if problem:
        return blocked(step, problem)
    if found is not None and survey.policy(Kind.CREDENTIAL) is Conflict.SKIP:
        return skipped(step, "is there already, and stays as it is")
    if fields.missing:
        return manual(step, _wanted(credential.name, fields.missing))
    if not fields.sources:
        return skipped(step, "has no fields, and so nothing to copy")
    losses = [f"field {key!r} is left out" for key in fields.left_out]
    if credential.description and "credentials" in survey.limits.descriptions:
        step = replace(step, settings={**step.settings, "description": credential.description})
    elif credential.description:
        losses.append("its description is dropped")
    return going(step, losses)


@dataclass(slots=True)
class _Fields:
    """What the fields of the target's credential come from."""

    sources: dict[str, dict[str, str]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    """Those whose values nobody knows."""
    left_out: list[str] = field(default_factory=list)
    """Those of the source that the rules leave out."""
    twice: list[str] = field(default_factory=list)
    """Those that two of the source would become."""

    @classmethod
    def of(cls, source: Capabilities, credential: Credential, rule: CredentialRule) -> Self:
        reveals = source.limits.reads_secrets and Feature.CREDENTIAL_REVEAL in source
        fields = cls(sources={to: {"reference": reference} for to, reference in sorted(rule.values.items())})
        seen: set[str] = set()
        for key in sorted(credential.keys):
            to = rule.fields.get(key, key)
            if not to:
                fields.left_out.append(key)
                continue
            if to in seen:
                fields.twice.append(to)
            seen.add(to)
            if to not in rule.values and reveals:
                fields.sources[to] = {"from": "platform", "field": key}
            elif to not in rule.values:
                fields.missing.append(to)
        return fields

    @property
    def all(self) -> set[str]:
        """The names of all that the target would have."""
        return {*self.sources, *self.missing}


def _problem(survey: Survey, step: Step, fields: _Fields, taken: dict[str, str]) -> str:
    """Why the credential cannot be had at the target; empty when it can."""
    missing = lacks(survey.target, survey.target.credentials, Feature.CREDENTIAL_PUT)
    if missing:
        return f"the target {missing}"
    rival = taken.get(step.to.casefold())
    if rival is not None:
        return f"credential {rival!r} becomes {step.to!r} already; tell them apart with the rule credentials.rename"
    if step.exists and survey.policy(Kind.CREDENTIAL) is Conflict.FAIL:
        return in_the_way("a credential", "credentials", step.to)
    if fields.twice:
        return f"two of its fields become {fields.twice[0]!r}; tell them apart with the rule credentials.fields"
    kinds = survey.limits.credential_fields
    if kinds and fields.all and fields.all not in kinds:
        words = ", or ".join(dict.fromkeys(" and ".join(sorted(one)) for one in kinds))
        return (
            f"the target's credentials have {words}, and this one would have {', '.join(sorted(fields.all))}; "
            f'the rule credentials.fields says which field becomes which, and "" leaves one out'
        )
    return ""


def _wanted(name: str, missing: list[str]) -> str:
    example = ", ".join(f'{one} = "${{env:NAME}}"' for one in missing)
    return (
        f"the source does not show its secrets; a person must supply {', '.join(missing)}: by references in the rule "
        f"for credential {name!r}, such as values = {{ {example} }}, or at the target by hand"
    )
