"""Packages on UiPath: listed, downloaded as they are, uploaded once."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from zipfile import ZipFile

import pytest

from rpa_bridge import Adapter, ConflictError, InvalidError, NotFoundError, OutcomeUnknownError
from rpa_bridge.contract.automations import Package
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge_uipath.automations import UiPathAutomations

UPLOAD = "POST *UploadPackage"
Requests = Callable[[str], list[Exchange]]


def nupkg(name: str, version: str = "1.0.0") -> bytes:
    """A package, as NuGet packs one."""
    content = io.BytesIO()
    with ZipFile(content, "w") as file:
        manifest = f"<package><metadata><id>{name}</id><version> {version} </version></metadata></package>"
        file.writestr(f"{name}.nuspec", "\ufeff" + manifest)
        file.writestr("content/large.bin", bytes(range(256)) * 4096)
    return content.getvalue()


class Pieces:
    """A file that can be read again."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), 100_000):
            yield self._content[start : start + 100_000]


async def names(erp: Adapter) -> dict[str, str]:
    """Versions by package."""
    return {one.name: one.version for one in [one async for one in erp.automations.packages()]}


async def downloaded(erp: Adapter, package: Package) -> bytes:
    """The package's file."""
    async with erp.automations.open_package(package) as pieces:
        return b"".join([piece async for piece in pieces])


def scripted(script: Any) -> UiPathAutomations:
    """The service on answers on order."""
    return UiPathAutomations(script.client, script.clock)


def uploads(status: Any, *, key: str | None = "Acme.New:1.0.0", body: Any = None) -> dict[str, Any]:
    """What became of one file."""
    return {"Key": key, "Status": status, "Body": body if body is None else json.dumps(body)}


@pytest.mark.parametrize("id_has_version", [True, False])
async def test_the_newest_version_of_each_package_is_listed(
    sandbox: Sandbox, erp: Adapter, id_has_version: bool
) -> None:
    sandbox.world.switches["uipath.package_id_has_version"] = id_has_version
    for version in ("1.9.0", "1.10.0"):
        await erp.automations.upload_package(nupkg("Acme.Invoices", version))

    assert await names(erp) == {"Acme.Invoices": "1.10.0", "Acme.Letters": "1.2.0"}


async def test_packages_beyond_a_page_are_listed_once(script: Any) -> None:
    rows = [{"Id": f"P{number:03d}", "Version": "1.0"} for number in range(150)]
    script.page(*rows[:100])
    script.page(*rows[99:])  # one came meanwhile, and moved the others on

    found = [one.name async for one in scripted(script).packages()]

    assert found == [row["Id"] for row in rows]
    assert [one.params.get("$skip") for one in script.requests] == [None, "100"]


async def test_a_package_comes_back_as_it_was_uploaded(erp: Adapter) -> None:
    content = nupkg("Acme.New")

    package = await erp.automations.upload_package(content)

    assert (package.name, package.version) == ("Acme.New", "1.0.0")
    assert await downloaded(erp, package) == content


@pytest.mark.parametrize("name", ["Acme.None", "O'Brien", "x' or '1", "größer ☃", "a/b", "100 %", "a:b", ".."])
async def test_an_unknown_package_is_not_found_and_named(erp: Adapter, name: str) -> None:
    with pytest.raises(
        NotFoundError, match=r"no package .* in version '1\.0'; `rpa-bridge automations packages`"
    ) as caught:
        await downloaded(erp, Package(id="x", name=name, version="1.0"))
    assert name in str(caught.value)


async def test_a_failure_within_the_block_is_the_callers_own(erp: Adapter) -> None:
    package = await anext(erp.automations.packages())

    with pytest.raises(NotFoundError, match="my own"):
        async with erp.automations.open_package(package):
            raise NotFoundError("my own")


@pytest.mark.parametrize("plain", [False, True])
async def test_a_version_that_is_there_is_a_conflict(
    sandbox: Sandbox, erp: Adapter, requests: Requests, plain: bool
) -> None:
    sandbox.world.switches["uipath.package_conflict_plain"] = plain
    content = nupkg("Acme.New")
    await erp.automations.upload_package(content)

    with pytest.raises(ConflictError, match=r"Package Acme\.New 1\.0\.0 already exists"):
        await erp.automations.upload_package(content)
    assert len(requests(UPLOAD)) == 2


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("when", list(When))
@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.HTML])
async def test_an_upload_whose_answer_was_lost_is_there_once(
    sandbox: Sandbox, erp: Adapter, requests: Requests, kind: FaultKind, when: When, plain: bool
) -> None:
    sandbox.world.switches["uipath.package_conflict_plain"] = plain
    sandbox.faults.add(Fault(kind, match=UPLOAD, when=when))
    content = nupkg("Acme.New", "2.0.0")

    package = await erp.automations.upload_package(Pieces(content), size=len(content))

    assert (package.id, package.name, package.version) == ("Acme.New:2.0.0", "Acme.New", "2.0.0")
    assert await downloaded(erp, package) == content
    assert len(requests(UPLOAD)) == 2


async def test_a_stream_that_cannot_be_read_again_is_not_sent_again(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    content = nupkg("Acme.New")
    sandbox.faults.add(Fault(FaultKind.CUT, match=UPLOAD, when=When.AFTER))

    with pytest.raises(OutcomeUnknownError, match="the package may be there: upload it again"):
        await erp.automations.upload_package(aiter(Pieces(content)), size=len(content))
    assert len(requests(UPLOAD)) == 1


async def test_a_stream_is_uploaded(erp: Adapter) -> None:
    content = nupkg("Acme.New")

    package = await erp.automations.upload_package(aiter(Pieces(content)), size=len(content))

    assert await downloaded(erp, package) == content


async def test_a_file_that_is_no_package_is_refused_by_the_platform(erp: Adapter) -> None:
    with pytest.raises(InvalidError, match="The file is not a package"):
        await erp.automations.upload_package(b"no zip at all")


async def test_a_stream_without_a_size_is_refused_unsent(sandbox: Sandbox, erp: Adapter) -> None:
    with pytest.raises(InvalidError, match="needs its size"):
        await erp.automations.upload_package(Pieces(b"x"))
    assert sandbox.world.exchanges == []


@pytest.mark.parametrize(
    "file",
    [
        uploads("OK"),
        uploads("Created"),
        uploads(200),
        uploads("201"),
        uploads("OK", key="new.nupkg", body={"Id": "Acme.New", "Version": "1.0.0"}),
        uploads("OK", key=None, body={"Key": "Acme.New:1.0.0"}),
    ],
)
async def test_an_upload_is_understood_in_each_shape(script: Any, file: dict[str, Any]) -> None:
    script.answer({"value": [file]})

    assert (await scripted(script).upload_package(b"x")).id == "Acme.New:1.0.0"


@pytest.mark.parametrize("status", ["Conflict", 409, "409"])
async def test_a_conflict_is_understood_in_each_shape(script: Any, status: Any) -> None:
    script.answer({"value": [uploads(status, body={"message": "It is there.", "errorCode": 1004})]}, status=207)

    with pytest.raises(ConflictError, match="It is there"):
        await scripted(script).upload_package(b"x")


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {"value": []},
        {"value": [uploads("OK"), uploads("OK")]},
        {"value": [uploads("Sideways")]},
        {"value": [uploads("OK", key="x")]},
    ],
)
async def test_an_answer_that_cannot_be_read_is_asked_for_again_and_not_believed(script: Any, answer: Any) -> None:
    script.answer(answer)
    script.answer(answer)

    with pytest.raises(OutcomeUnknownError, match="the package may be there: upload it again"):
        await scripted(script).upload_package(b"x")
    assert len(script.requests) == 2
