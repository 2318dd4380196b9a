"""From bytes to a vendor's JSON: what does not fit is a ProtocolError, and nothing of it reaches a log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, PrivateAttr, TypeAdapter, ValidationError
from pydantic_core import from_json

from rpa_bridge.errors import ProtocolError

from .base import Request, Response

M = TypeVar("M", bound="WireModel")


class WireModel(BaseModel):
    """A vendor's JSON under the vendor's names. Members it does not name are kept in `raw`."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, populate_by_name=True)

    _raw: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def raw(self) -> dict[str, Any]:
        """The object as it came."""
        return self._raw

    @classmethod
    def of(cls, data: Any, operation: str) -> Self:
        """The model of one JSON object. Raises ProtocolError naming the members that do not fit."""
        try:
            model = cls.model_validate(data)
        except ValidationError as error:
            members = _members(error)
        else:
            model._raw = data  # noqa: SLF001 - its own, set where it is made
            return model
        raise ProtocolError(  # here: as context, pydantic's error would keep the answer
            f"{operation}: the platform's answer is not a {cls.__name__} (look at {members}); "
            f"is it of a version we do not know?",
            operation=operation,
        )


def _members(error: ValidationError) -> str:
    """The members that do not fit, by position and by names that a model declares; other names are the answer's own."""
    names = set(_declared(WireModel))
    places = (
        ".".join(str(part) for part in one["loc"] if isinstance(part, int) or part in names)
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    )
    return ", ".join(list(dict.fromkeys(place or "the whole" for place in places))[:3])


def _declared(model: type[WireModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.alias or name
    for narrower in model.__subclasses__():
        yield from _declared(narrower)


def json_of(request: Request, response: Response) -> Any:
    """The body as JSON. Raises ProtocolError when it is not."""
    with suppress(ValueError):
        return from_json(response.body, allow_inf_nan=False)
    raise ProtocolError(
        f"{request.operation}: the platform's answer is not JSON; check the address in the settings",
        status=response.status,
        operation=request.operation,
    )


def decode(model: type[M], request: Request, response: Response) -> M:
    """The body as this model. Raises ProtocolError."""
    return model.of(json_of(request, response), request.operation)


def _moment(value: Any) -> datetime | None:
    """A time as vendors write it, aware and in UTC; None when nobody can tell what it means."""
    try:
        parsed = _ANY_TIME.validate_python(value)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValidationError, OverflowError):
        return None


_ANY_TIME = TypeAdapter(datetime)
Moment = Annotated[datetime | None, BeforeValidator(lambda value: None if value is None else _moment(value))]
"""A wire time: read leniently, since an odd layout must not make a whole job or item unreadable."""
