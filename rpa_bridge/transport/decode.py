"""From bytes to a vendor's JSON: what does not fit is a ProtocolError, and nothing of it reaches a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, PlainValidator, TypeAdapter, ValidationError
from pydantic_core import from_json

from rpa_bridge.errors import ProtocolError

from .base import Request, Response

M = TypeVar("M", bound="WireModel")
T = TypeVar("T")
_RAW = "raw data"
"""Where a model keeps the object that it was made of: a name that no member can have."""


class WireModel(BaseModel):
    """A vendor's JSON under the vendor's names. Members it does not name are kept in `raw`."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
        defer_build=True,  # an adapter has many, and a short program meets few
    )

    @property
    def raw(self) -> dict[str, Any]:
        """The object as it came."""
        kept: dict[str, Any] = vars(self).get(_RAW, {})
        return kept

    @classmethod
    def of(cls, data: Any, operation: str) -> Self:
        """The model of one JSON object. Raises ProtocolError naming the members that do not fit."""
        model = cls._checked(cls.model_validate, data, operation)
        vars(model)[_RAW] = data  # a private member of pydantic's would cost a third of all this
        return model

    @classmethod
    def many(cls, rows: Any, operation: str) -> list[Self]:
        """The models of a JSON array's objects, in two thirds of the time that they take one by one. Raises as `of`."""
        models: list[Self] = cls._checked(_list_of(cls).validate_python, rows, operation)
        for model, row in zip(models, rows, strict=True):
            vars(model)[_RAW] = row
        return models

    @classmethod
    def _checked(cls, validate: Callable[[Any], T], data: Any, operation: str) -> T:
        try:
            return validate(data)
        except ValidationError as error:
            members = _members(error)
        raise ProtocolError(  # here: as context, pydantic's error would keep the answer
            f"{operation}: the platform's answer is not a {cls.__name__} (look at {members}); "
            f"is it of a version we do not know?",
            operation=operation,
        )


@lru_cache(maxsize=256)
def _list_of(model: type[WireModel]) -> TypeAdapter[list[Any]]:
    return TypeAdapter(list[model])  # type: ignore[valid-type]


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
    try:
        return from_json(response.body, allow_inf_nan=False)
    except ValueError:
        broken = ProtocolError(
            f"{request.operation}: the platform's answer is not JSON; check the address in the settings",
            status=response.status,
            operation=request.operation,
        )
    raise broken  # here: as context, the library's error would keep the answer


def decode(model: type[M], request: Request, response: Response) -> M:
    """The body as this model. Raises ProtocolError."""
    return model.of(json_of(request, response), request.operation)


def _moment(value: Any) -> datetime | None:
    """A time as vendors write it, aware and in UTC; None when nobody can tell what it means."""
    try:
        if isinstance(value, str) and value.endswith("Z"):  # as nearly all are written: this is three times as fast
            return datetime.fromisoformat(value)
        parsed = _ANY_TIME.validate_python(value)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_ANY_TIME = TypeAdapter(datetime)
Moment = Annotated[datetime, PlainValidator(_moment)] | None
"""A wire time: read leniently, since an odd layout must not make a whole job or item unreadable."""
