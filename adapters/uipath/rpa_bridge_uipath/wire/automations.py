"""Releases and packages. docs: uipath.md 3.6 and 3.7"""

from __future__ import annotations

from rpa_bridge.transport.decode import WireModel

from .lists import Numbered


class ArgumentMetadata(WireModel):
    """What a release takes and gives: JSON in two strings."""

    Input: str | None = None
    Output: str | None = None


class ReleaseDto(Numbered):
    """What the portal calls a process. `InputArguments` are its own defaults, JSON in a string."""

    Key: str
    Name: str
    Description: str | None = None
    ProcessKey: str | None = None
    ProcessVersion: str | None = None
    InputArguments: str | None = None
    Arguments: ArgumentMetadata | None = None


class ArgumentDto(WireModel):
    """One argument, in camelCase."""

    name: str
    type: str
    required: bool | None = None


class ProcessDto(WireModel):
    """One version of a package, which the API calls a process."""

    Id: str
    Version: str


class UploadedDto(WireModel):
    """What became of one uploaded file: `Status` is a number or .NET's word for it, `Body` JSON in a string."""

    Key: str | None = None
    Status: int | str
    Body: str | None = None
