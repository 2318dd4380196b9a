"""Packages as files: zips with a manifest in them. docs: uipath.md 3.6"""

from __future__ import annotations

import json
import re
import zlib
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape
from zipfile import BadZipFile, ZipFile, ZipInfo

from .entities import Row

PROJECT = "content/project.json"
"""Studio's description of a project, with the arguments of its entry points (a guess: the facts do not name it)."""
MOST_MANIFEST = 1024 * 1024
_ID = re.compile(r"[\w.-]{1,100}")
_VERSION = re.compile(r"\d{1,9}(\.\d{1,9}){1,3}(-[0-9A-Za-z.-]+)?")


def read_package(content: bytes) -> Row:
    """What a package tells of itself. Raises ValueError, with a sentence, for one that is broken."""
    try:
        with ZipFile(BytesIO(content)) as package:
            metadata = _metadata(package)
            project = _project(package)
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):  # RuntimeError: a password is wanted
        raise ValueError("The file is not a package.") from None
    if not _ID.fullmatch(metadata.get("id", "")) or not _VERSION.fullmatch(metadata.get("version", "")):
        raise ValueError("The package's manifest names no id, or no version.")
    return {
        "PackageId": metadata["id"],
        "Version": metadata["version"],
        "Title": metadata.get("title") or metadata["id"],
        "Description": metadata.get("description"),
        "Authors": metadata.get("authors"),
        "ReleaseNotes": metadata.get("releaseNotes"),
        "MainEntryPointPath": project.get("main"),
        "Arguments": _arguments(project),
    }


def write_package(package_id: str, version: str, description: str, main: str, arguments: Row) -> bytes:
    """A small package. Arguments are JSON, as the vendor gives them."""
    manifest = (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata>'
        f"<id>{escape(package_id)}</id><version>{escape(version)}</version><authors>Acme</authors>"
        f"<description>{escape(description)}</description></metadata></package>"
    )
    entry = {
        "filePath": main,
        "input": json.loads(arguments["Input"]),
        "output": json.loads(arguments["Output"]),
    }
    content = BytesIO()
    with ZipFile(content, "w") as package:
        package.writestr(ZipInfo(f"{package_id}.nuspec"), manifest)
        package.writestr(ZipInfo(PROJECT), json.dumps({"name": package_id, "main": main, "entryPoints": [entry]}))
    return content.getvalue()


def version_order(version: str) -> tuple[list[int], bool, str]:
    """What versions sort by: 1.10 comes after 1.9, and a release after its previews."""
    numbers, _, preview = version.partition("-")
    return [int(number) for number in numbers.split(".")], not preview, preview


def _metadata(package: ZipFile) -> dict[str, str]:
    """The manifest's plain members by name, whatever its namespace."""
    names = [name for name in package.namelist() if name.endswith(".nuspec") and "/" not in name]
    if len(names) != 1:
        raise ValueError("The package has no manifest, or several.")
    manifest = _read(package, names[0])
    try:
        root = ET.fromstring(manifest)  # noqa: S314 - loopback; its size is bounded
    except (ET.ParseError, LookupError, ValueError):  # the last two: an encoding that nobody knows
        raise ValueError("The package's manifest is not XML.") from None
    return {one.tag.rpartition("}")[2]: (one.text or "").strip() for one in root.iterfind("{*}metadata/*")}


def _read(package: ZipFile, name: str) -> bytes:
    if package.getinfo(name).file_size > MOST_MANIFEST:
        raise ValueError(f"{name} of the package is too large.")
    return package.read(name)


def _project(package: ZipFile) -> Row:
    """Studio's description; empty where there is none."""
    if PROJECT not in package.namelist():
        return {}
    try:
        project: Any = json.loads(_read(package, PROJECT))
        if not all(isinstance(entry, dict) for entry in project.get("entryPoints", [])):
            raise TypeError
    except (ValueError, TypeError, AttributeError):
        raise ValueError(f"{PROJECT} of the package is broken.") from None
    return dict(project)


def _arguments(project: Row) -> Row:
    """Those of the main entry point, as the vendor gives them: JSON as text."""
    for entry in project.get("entryPoints", []):
        if entry.get("filePath") == project.get("main"):
            inputs, outputs = (json.dumps(entry.get(name, []), separators=(",", ":")) for name in ("input", "output"))
            return {"Input": inputs, "Output": outputs}
    return {"Input": None, "Output": None}
