"""Files: what becomes of those in each container, or in none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from mimetypes import guess_type

from rpa_bridge.contract.artifacts import Artifact
from rpa_bridge.contract.features import Feature, FilePlace
from rpa_bridge.errors import NotFoundError
from rpa_bridge.migration import inventory, mapping
from rpa_bridge.migration.documents import Conflict, Kind, Step, Verdict
from rpa_bridge.migration.selection import Picker, path_of
from rpa_bridge.redaction import REDACTOR

from .common import MOST_EXAMPLES, TOLD, Sum, Survey, blocked, counted, going, lacks, plural, short_hash

Destination = tuple[str | None, str | None]
"""A container and a job at the target."""
NOT_WHERE: dict[FilePlace, str] = {
    FilePlace.JOB: "the target's files belong to jobs; name one with the rule artifacts.job, and no container",
    FilePlace.CONTAINER_OR_JOB: (
        "the target's files lie in a container or belong to a job; name one of them with the rules artifacts.container "
        "and artifacts.job"
    ),
}
ITSELF = "source and target are the same file; give it another place with the rules for artifacts"
SAME_NAME = "another file goes to the same name; tell them apart with the rule artifacts.name"
THERE = (
    "the target has a file of this name already; give it another with the rule artifacts.name, "
    'or set conflicts.artifacts to "skip" or "replace"'
)


@dataclass(slots=True)
class _Tally:
    """What was read of one container."""

    count: int = 0
    bytes: int = 0
    without_size: int = 0
    skipped: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    losses: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    destinations: set[Destination] = field(default_factory=set)
    digest: Sum = field(default_factory=Sum)


@dataclass(slots=True)
class _Target:
    """What the target has. Of names it keeps eight bytes each."""

    problem: dict[Destination, str] = field(default_factory=dict)
    names: dict[Destination, set[int]] = field(default_factory=dict)
    given: set[int] = field(default_factory=set)
    """Names that files of this plan have been given."""


async def weigh_artifacts(survey: Survey) -> list[Step]:
    """What becomes of the selected files, by container."""
    source, target = survey.source, survey.target
    if not survey.select.artifacts or not survey.is_readable(source.artifacts):
        return []
    picker = Picker(survey.select.artifacts, of_paths=True)
    rules = Picker((one.match for one in survey.rules.artifacts), of_paths=True)
    settings = {"places": _places(survey)}
    probe = Step(kind=Kind.ARTIFACTS, name="", to="", verdict=Verdict.COPY, settings=settings)
    missing = lacks(target, target.artifacts, Feature.ARTIFACT_UPLOAD)
    tallies: dict[str, _Tally] = {}
    there, done = _Target(), 0
    async for file in inventory.picked_files(source, picker):
        rules.picks(path_of(file.container, file.name))
        tally = tallies.setdefault(file.container or "", _Tally())
        tally.digest.add(inventory.file_digest(file))
        problem = f"the target {missing}" if missing else await _put(survey, probe, file, there, tally)
        if problem:
            _refuse(tally, file, problem)
        done += 1
        if done % TOLD == 0:
            survey.tell("files", done)
    survey.tell("files", done)
    survey.warn_of_unused("artifacts", picker, rules)
    return [_step(survey, probe, container, tally) for container, tally in sorted(tallies.items())]


def _places(survey: Survey) -> list[dict[str, str]]:
    """Where files go, by pattern: the rules as they will be read, and at last where no rule fits."""
    takes_containers = survey.limits.file_place is not FilePlace.JOB
    places = []
    for rule in survey.rules.artifacts:
        given = {"match": rule.match, "name": rule.name, "container": rule.container, "job": rule.job}
        if rule.container is None and rule.job is None and takes_containers:
            given["container"] = "{container}"
        places.append({what: value for what, value in given.items() if value is not None})
    return [*places, {"match": "**", **({"container": "{container}"} if takes_containers else {})}]


async def _put(survey: Survey, probe: Step, file: Artifact, there: _Target, tally: _Tally) -> str:
    """Counts a file that goes, or one that is left as it is; else says why it cannot go."""
    name, container, job = mapping.file_place(probe, file)
    place = (container, job)
    if survey.is_one_place and (name, container, job) == (file.name, file.container, file.job):
        return ITSELF
    problem = _misplaced(survey.limits.file_place, container, job) or await _look(survey, there, place)
    if problem:
        return problem
    short = short_hash(f"{container}\0{job}\0{name}")
    if short in there.given:
        return SAME_NAME
    there.given.add(short)
    if short_hash(name) in there.names[place] and survey.policy(Kind.ARTIFACTS) is not Conflict.REPLACE:
        if survey.policy(Kind.ARTIFACTS) is Conflict.FAIL:
            return THERE
        tally.skipped += 1
        return ""
    tally.count += 1
    tally.bytes += file.size or 0
    tally.without_size += file.size is None
    tally.destinations.add(place)
    if file.job is not None and job is None:
        tally.losses["the job that made it is not kept"] += 1
    if file.content_type not in (None, guess_type(name)[0]):
        tally.losses["its type of content becomes what its name says"] += 1
    return ""


def _misplaced(wanted: FilePlace, container: str | None, job: str | None) -> str:
    """Why the target can have no file there; empty when it can."""
    if wanted is FilePlace.JOB and (job is None or container is not None):
        return NOT_WHERE[wanted]
    if wanted is FilePlace.CONTAINER_OR_JOB and (job is None) == (container is None):
        return NOT_WHERE[wanted]
    return ""


async def _look(survey: Survey, there: _Target, place: Destination) -> str:
    """Looks once at what the target has in a place; says why nothing can go there."""
    if place in there.problem:
        return there.problem[place]
    container, job = place
    target, problem = survey.target, ""
    names: set[int] = set()
    try:
        if job is not None:
            await target.jobs.get(job)
        async for file in target.artifacts.find(container=container, job=job):
            if (file.container, file.job) == place or job is not None:
                names.add(short_hash(file.name))
    except NotFoundError:
        what = f"container {container!r}" if job is None else f"job {job!r}"
        problem = f"the target has no {what}; make one there, or name another in the rules for artifacts"
    there.problem[place], there.names[place] = problem, names
    return problem


def _refuse(tally: _Tally, file: Artifact, problem: str) -> None:
    tally.problems[problem] += 1
    if len(tally.examples) < MOST_EXAMPLES:
        tally.examples.append(REDACTOR.line(f"{path_of(file.container, file.name)}: {problem}"))


def _step(survey: Survey, probe: Step, container: str, tally: _Tally) -> Step:
    where = f"container {container!r}" if container else "no container"
    if tally.skipped:
        survey.warnings.append(
            f"{plural(tally.skipped, 'file')} in {where} are at the target already, and stay as they are there"
        )
    if tally.without_size:
        survey.warnings.append(f"the source does not tell the sizes of {plural(tally.without_size, 'file')} in {where}")
    places = {place for place, _ in tally.destinations}
    step = replace(
        probe,
        name=container,
        to=(places.pop() or "") if len(places) == 1 else "",
        count=tally.count,
        bytes=tally.bytes,
        digest=tally.digest.total,
        blocked=tally.problems.total(),
        examples=tuple(tally.examples),
    )
    if not tally.count and tally.problems:
        [problem, *more] = sorted(tally.problems)
        return blocked(step, "none of its files can go; the examples say why" if more else problem)
    return going(step, counted(tally.losses, "file"))
