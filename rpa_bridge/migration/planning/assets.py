"""Assets: what becomes of each. Their values are looked at, and never in a plan, not even as hashes."""

from __future__ import annotations

from dataclasses import replace

from rpa_bridge.contract.assets import Asset, AssetType
from rpa_bridge.contract.credentials import Credential
from rpa_bridge.contract.features import Feature
from rpa_bridge.migration import inventory, mapping
from rpa_bridge.migration.documents import Conflict, Kind, Step, Verdict
from rpa_bridge.migration.rule_parts import filled_in
from rpa_bridge.migration.selection import Picker

from .common import ByName, Survey, blocked, going, in_the_way, lacks, manual, plural, skipped


async def weigh_assets(survey: Survey) -> list[Step]:
    """What becomes of the selected assets, by name."""
    if not survey.select.assets or not survey.is_readable(survey.source.assets):
        return []
    picker, rules = Picker(survey.select.assets), Picker(one.match for one in survey.rules.assets)
    assets = await inventory.assets(survey.source, picker)
    for asset in assets:
        rules.picks(asset.name)
    survey.warn_of_unused("assets", picker, rules)
    there, credentials = await _of_target(survey)
    steps: list[Step] = []
    for asset in assets:
        taken = {one.to.casefold(): one.name for one in steps}
        steps.append(_weigh(survey, asset, there, credentials, taken))
    return steps


async def _of_target(survey: Survey) -> tuple[ByName[Asset], ByName[Credential]]:
    """Assets and credentials of the target, as far as assets may meet them."""
    target = survey.target
    if not target.assets.is_absent:
        return ByName([one async for one in target.assets.find()]), ByName([])
    if target.credentials.is_absent:
        return ByName([]), ByName([])
    return ByName([]), ByName([one async for one in target.credentials.find()])


def _weigh(
    survey: Survey,
    asset: Asset,
    there: ByName[Asset],
    credentials: ByName[Credential],
    taken: dict[str, str],
) -> Step:
    rule = survey.rules.asset(asset.name)
    name = filled_in(rule.rename or "{name}", name=asset.name)
    step = Step(kind=Kind.ASSET, name=asset.name, to=name, verdict=Verdict.COPY, settings={"type": str(asset.type)})
    missing = lacks(survey.target, survey.target.assets, Feature.ASSET_PUT)
    into = rule.into_credential if missing else None
    if into is not None:
        step = replace(step, to=f"{into}/{name}", settings={**step.settings, "into_credential": into, "field": name})
    if asset.type is AssetType.OTHER:
        return manual(step, "its type is one that only the source knows; make it at the target by hand")
    if asset.value is None:
        return manual(step, "only single robots have a value of it; give these theirs at the target by hand")
    if step.to.casefold() in taken:
        rival = taken[step.to.casefold()]
        return blocked(
            step, f"asset {rival!r} becomes {step.to!r} already; tell them apart with the rule assets.rename"
        )
    losses = _losses(survey, asset)
    if into is not None:
        return _as_field(survey, step, credentials.get(into), losses)
    if missing:
        hint = "the rule assets.into_credential makes them fields of a credential"
        return blocked(step, f"the target {missing}; {hint}")
    return _as_asset(survey, step, asset, there.get(name), losses)


def _as_asset(survey: Survey, step: Step, asset: Asset, found: Asset | None, losses: list[str]) -> Step:
    if asset.description and "assets" in survey.limits.descriptions:
        step = replace(step, settings={**step.settings, "description": asset.description})
    if found is None:
        return going(step, losses)
    step = replace(step, exists=True, to=found.name)
    if (found.type, found.value) == (asset.type, asset.value):
        return skipped(step, "is there already, the same")
    if survey.policy(Kind.ASSET) is Conflict.SKIP:
        return skipped(step, "is there already, with another value, and stays as it is")
    if survey.policy(Kind.ASSET) is Conflict.FAIL:
        return blocked(step, in_the_way("an asset", "assets", found.name))
    if found.type is not asset.type:
        return blocked(
            step, f"the target's is of type {found.type}, and this one is {asset.type}; delete it there first"
        )
    return going(step, losses)


def _as_field(survey: Survey, step: Step, found: Credential | None, losses: list[str]) -> Step:
    missing = lacks(survey.target, survey.target.credentials, Feature.CREDENTIAL_PUT)
    if missing:
        return blocked(step, f"the target {missing}, so that no credential can hold it")
    losses = [*losses, f"it becomes a field of credential {mapping.credential_name(step)!r}, as text"]
    known = () if found is None else found.keys
    if step.settings["field"] not in known:
        return going(step, losses)
    step = replace(step, exists=True)
    if survey.policy(Kind.CREDENTIAL) is Conflict.SKIP:
        return skipped(step, "the credential has this field already, and stays as it is")
    if survey.policy(Kind.CREDENTIAL) is Conflict.FAIL:
        return blocked(
            step,
            f"the target has {step.to!r} already, as credential and field; give the asset another name with the rule "
            f'assets.rename, or set conflicts.credentials to "skip" or "replace"',
        )
    return going(step, losses)


def _losses(survey: Survey, asset: Asset) -> list[str]:
    losses = []
    if asset.robot_values:
        losses.append(f"the values of {plural(len(asset.robot_values), 'single robot')} are not carried over")
    if asset.description and "assets" not in survey.limits.descriptions:
        losses.append("its description is dropped")
    return losses
