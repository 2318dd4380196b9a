"""What all records have in common: their names on the wire, their dates, their files."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, PlainSerializer, SerializationInfo
from pydantic.alias_generators import to_camel

ORGANIZATION = "acme"
REPOSITORY = "DEFAULT"


def date_text(moment: datetime, layout: str) -> str:
    """A date as the server writes it: UTC, milliseconds, and an offset in one of three layouts."""
    text = moment.isoformat(timespec="milliseconds")
    match layout:
        case "zulu":
            return text.replace("+00:00", "Z")
        case "compact":
            return text.replace("+00:00", "+0000")
        case _:
            return text


def _date(moment: datetime, info: SerializationInfo) -> str:
    """In full for a state file, as the server writes it for an answer."""
    return date_text(moment, info.context["dates"]) if info.context else moment.isoformat()


Moment = Annotated[AwareDatetime, PlainSerializer(_date, return_type=str)]


class Record(BaseModel):
    """One object. `hidden` members are ours and stay off the wire."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, ser_json_bytes="base64", val_json_bytes="base64"
    )
    hidden: ClassVar[frozenset[str]] = frozenset()

    def wire(self, date_layout: str) -> dict[str, Any]:
        """The object as JSON can hold it, under the server's names."""
        return self.model_dump(mode="json", by_alias=True, exclude=set(self.hidden), context={"dates": date_layout})


class StoredFile(Record):
    """A file that was uploaded."""

    hidden = frozenset({"content"})

    file_name: str
    content: bytes
