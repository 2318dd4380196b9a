"""From resolved values to an adapter's own settings; what is wrong becomes one sentence without a value in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from rpa_bridge.errors import ConfigError
from rpa_bridge.redaction import MASK, REDACTOR

from .documents import Origin
from .places import Place, did_you_mean, dotted, map_leaves
from .shapes import Shape

M = TypeVar("M", bound=BaseModel)

MOST_PROBLEMS = 10
"""How many problems one error names."""
SHORTEST_HIDDEN = 3
"""Characters; masking shorter values would only garble the sentence."""


def validate(model: type[M], values: dict[str, Any], *, origin: Origin, place: Place) -> M:
    """The values as the adapter takes them. Raises ConfigError that lists every problem and shows no value."""
    try:
        valid = model.model_validate(values)
    except ValidationError as error:
        shape = Shape.of(model)
        problems = [_problem(one, values, shape, place) for one in error.errors(include_url=False)]
    except ConfigError as error:  # an adapter's own check, in whole sentences
        problems = [f"{dotted(place)}: {_without_values(str(error), values)}"]
    else:
        _tell_redactor(valid)
        return valid
    listed = "; ".join(list(dict.fromkeys(problems))[:MOST_PROBLEMS])
    more = f"; and {len(problems) - MOST_PROBLEMS} more" if len(problems) > MOST_PROBLEMS else ""
    where = f"{origin.source}: " if origin.source else ""
    raise ConfigError(f"{where}{listed}{more}")  # out here: the validation error holds the values, and is no context


def _problem(error: ErrorDetails, values: dict[str, Any], shape: Shape, place: Place) -> str:
    inner = _as_written(error, values)
    kind, given = error["type"], error["input"]
    if kind in {"union_tag_not_found", "union_tag_invalid"}:
        name = str(error["ctx"]["discriminator"]).strip("'")
        inner = (*inner, name)
        given = given.get(name) if isinstance(given, Mapping) else None
        kind = "missing" if given is None else "literal_error"
    where, words = dotted((*place, *inner)), shape.at(inner).words
    choice = f"must be {' or '.join(map(repr, words))}"
    if kind == "missing":
        return f"{where} is missing" + (f"; it {choice}" if words else "")
    if kind == "extra_forbidden":
        return f"{where} is not known{_instead(inner, values, shape)}"
    if kind in {"literal_error", "enum"} and words:
        return f"{where} {choice}{did_you_mean(str(given), words)}"
    return f"{where} {_sentence(error['msg'], given)}"


def _as_written(error: ErrorDetails, values: Any) -> Place:
    """The place in the document: pydantic puts the name of a union's branch between the keys."""
    place: list[str | int] = []
    here, branch_passed = values, False
    for number, step in enumerate(error["loc"]):
        last = number == len(error["loc"]) - 1
        if isinstance(here, Mapping) and not last and not branch_passed and step in here.values():
            branch_passed = True  # such as "client_credentials", the value of `type`
        elif isinstance(here, Mapping) and (step in here or (last and error["type"] == "missing")):
            place.append(step)
            here, branch_passed = here.get(step), False
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            place.append(step)
            here, branch_passed = here[step], False
    return tuple(place)


def _instead(inner: Place, values: Any, shape: Shape) -> str:
    for step in inner[:-1]:
        values = values[step]
    known = shape.at(inner[:-1]).names - values.keys()
    return did_you_mean(str(inner[-1]), known) or (f"; it could be {', '.join(sorted(known))}" if known else "")


def _sentence(message: str, given: Any) -> str:
    """pydantic's or the adapter's own words, without any value that was given."""
    if message.startswith("Input "):
        return message.removeprefix("Input ")
    return (
        f"is wrong: {_without_values(message.removeprefix('Value error, ').removeprefix('Assertion failed, '), given)}"
    )


def _without_values(message: str, given: Any) -> str:
    texts: list[str] = []
    map_leaves(given, lambda _place, leaf: texts.append(str(leaf)))
    for text in sorted(texts, key=len, reverse=True):
        if len(text) >= SHORTEST_HIDDEN:
            message = message.replace(text, MASK)
    return message


def _tell_redactor(value: Any) -> None:
    if isinstance(value, SecretStr):
        REDACTOR.add(value.get_secret_value(), lasting=True)
    elif isinstance(value, BaseModel):
        _tell_redactor(vars(value))
    elif isinstance(value, Mapping):
        for one in value.values():
            _tell_redactor(one)
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            _tell_redactor(one)
