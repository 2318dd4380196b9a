"""Lists as OData wraps them. docs: uipath.md 3"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from rpa_bridge.transport.decode import WireModel


class Numbered(WireModel):
    """An entity with the numeric id that pages go by."""

    Id: int


class Page(WireModel):
    """A list: `@odata.count` only when asked for, `@odata.nextLink` hardly ever. docs: uipath.md 4"""

    value: list[Any]
    count: int | None = Field(default=None, alias="@odata.count")
    next_link: str | None = Field(default=None, alias="@odata.nextLink")
