"""Lists as Spring pages them. docs: botmaestro.md 1 "Paging" """

from __future__ import annotations

from typing import Any

from rpa_bridge.transport.decode import WireModel


class Page(WireModel):
    """A Spring page; pages are counted from 0."""

    content: list[dict[str, Any]]
    last: bool | None = None
    totalPages: int | None = None
