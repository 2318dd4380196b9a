"""Releases and packages in neutral words."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from rpa_bridge.contract.automations import Argument, Automation, AutomationSchema, Package
from rpa_bridge.errors import ProtocolError
from rpa_bridge_uipath.wire.automations import ArgumentDto, ArgumentMetadata, ProcessDto, ReleaseDto, UploadedDto

from .jobs import arguments

STATUS_OF_WORD = {status.phrase.replace(" ", "").replace("-", ""): status.value for status in HTTPStatus}
"""Statuses as .NET names them. docs: uipath.md 3.6, UploadPackage"""


def automation(release: ReleaseDto) -> Automation:
    """The release in neutral words."""
    return Automation(
        id=release.Key,
        name=release.Name,
        description=release.Description,
        version=release.ProcessVersion,
        package=release.ProcessKey,
        raw_data=release.raw,
    )


def schema(release: ReleaseDto, told: ArgumentMetadata, operation: str) -> AutomationSchema:
    """What the release takes and gives, with its own defaults. Raises ProtocolError for a list that cannot be read."""
    defaults = arguments(release.InputArguments)
    return AutomationSchema(
        inputs=tuple(_argument(one, defaults.get(one.name)) for one in _listed(told.Input, operation)),
        outputs=tuple(_argument(one, None) for one in _listed(told.Output, operation)),
        raw_data=release.raw,
    )


def package(process: ProcessDto) -> Package:
    """The package in neutral words. Its `Id` may carry the version, or not: the definition and servers disagree."""
    name = process.Id.removesuffix(f":{process.Version}")
    return Package(id=package_key(name, process.Version), name=name, version=process.Version, raw_data=process.raw)


def package_key(name: str, version: str) -> str:
    """How the API names one version of a package. docs: uipath.md 3.6"""
    return f"{name}:{version}"


def uploaded_status(file: UploadedDto) -> int | None:
    """The status that one file of an upload met with; None for a word that is none."""
    text = str(file.Status)
    return int(text) if text.isascii() and text.isdigit() else STATUS_OF_WORD.get(text)


def uploaded(file: UploadedDto) -> Package | None:
    """The package that a file was; None where the answer does not name it: which member does is not documented."""
    told = arguments(file.Body)
    for key in (file.Key, told.get("Key")):
        name, _, version = str(key or "").rpartition(":")
        if name and version:
            return package(ProcessDto(Id=name, Version=version))
    named = isinstance(told.get("Id"), str) and isinstance(told.get("Version"), str)
    return package(ProcessDto(Id=told["Id"], Version=told["Version"])) if named else None


def _argument(one: ArgumentDto, default: Any) -> Argument:
    return Argument(name=one.name, type=one.type, required=bool(one.required), default=default, raw_data=one.raw)


def _listed(text: str | None, operation: str) -> list[ArgumentDto]:
    try:
        rows = json.loads(text) if text else []
    except (ValueError, RecursionError):
        rows = None
    if not isinstance(rows, list):
        raise ProtocolError(f"{operation}: the platform's list of arguments cannot be read", operation=operation)
    return [ArgumentDto.of(row, operation) for row in rows]
