from __future__ import annotations

from typing import Any

import pytest


async def _artifact(wire: Any, name: str = "report.pdf", **members: Any) -> Any:
    task = await wire.start()
    return await wire.post("/artifact", {"taskId": task["id"], "name": name, "filename": name} | members)


async def test_a_record_is_made_first_and_says_file_name(wire: Any) -> None:
    made = await _artifact(wire, name="Report", filename="report.pdf")
    assert isinstance(made["id"], int)
    assert (made["name"], made["fileName"], made["taskName"]) == ("Report", "report.pdf", "Invoices of the month")
    assert "filename" not in made
    assert "stored" not in made
    assert await wire.get(f"/artifact/{made['id']}") == made


@pytest.mark.parametrize("content", [b"%PDF \x00\xff", b"", bytes(3_000_000)], ids=["small", "empty", "large"])
async def test_a_file_comes_back_as_it_was_sent(wire: Any, content: bytes) -> None:
    made = await _artifact(wire)
    await wire.upload(f"/artifact/log/{made['id']}", "report.pdf", content)
    answer = await wire.ask("GET", f"/artifact/{made['id']}/file", status=200)
    assert answer.body == content
    assert answer.headers["Content-Type"] == "application/octet-stream"


async def test_a_second_upload_replaces_the_first(wire: Any) -> None:
    made = await _artifact(wire)
    for content in (b"one", b"two"):
        await wire.upload(f"/artifact/log/{made['id']}", "report.pdf", content)
    assert await wire.get(f"/artifact/{made['id']}/file") == b"two"


async def test_a_record_without_a_file_has_nothing_to_download(wire: Any) -> None:
    made = await _artifact(wire)
    await wire.get(f"/artifact/{made['id']}/file", status=404)


async def test_a_name_of_any_letters_goes_into_the_header_safely(wire: Any) -> None:
    made = await _artifact(wire, name='größe "1"; x.pdf')
    await wire.upload(f"/artifact/log/{made['id']}", "x.pdf", b"x")
    answer = await wire.ask("GET", f"/artifact/{made['id']}/file", status=200)
    assert answer.headers["Content-Disposition"].endswith("''gr%C3%B6%C3%9Fe%20%221%22%3B%20x.pdf")


async def test_files_are_listed_in_pages_by_task_and_age(wire: Any) -> None:
    wire.switch(token_lifetime=None)
    wire.world.clock.freeze()
    old = await _artifact(wire)
    wire.world.clock.advance(8 * 24 * 3600)
    new = await _artifact(wire)
    newest_first = await wire.get("/artifact", size=5, page=0, sort="dateCreation,desc", days=30)
    assert [one["id"] for one in newest_first["content"]] == [new["id"], old["id"]]
    assert [one["id"] for one in (await wire.get("/artifact", days=7))["content"]] == [new["id"]]
    assert [one["id"] for one in (await wire.get("/artifact", taskId=old["taskId"]))["content"]] == [old["id"]]


async def test_an_unknown_task_is_refused_unless_the_switch_lets_it_through(wire: Any) -> None:
    body = {"taskId": 999, "name": "a", "filename": "a"}
    await wire.post("/artifact", body, status=404)
    wire.switch(check_task_ids=False)
    assert (await wire.post("/artifact", body))["taskName"] is None


async def test_uploads_of_another_shape_are_refused(wire: Any) -> None:
    made = await _artifact(wire)
    path = f"/artifact/log/{made['id']}"
    await wire.upload("/artifact/log/999", "a", b"a", status=404)
    await wire.ask("POST", path, {"file": "a"}, status=415)
    await wire.ask("POST", path, data=b"", headers=wire.headers | {"Content-Type": "multipart/form-data"}, status=400)
    torn = wire.headers | {"Content-Type": "multipart/form-data; boundary=b"}
    await wire.ask("POST", path, data=b"no parts here", headers=torn, status=400)
    await wire.ask("POST", path, data=b"--b\r\n\r\nx\r\n--b--\r\n", headers=torn, status=400)
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n'
    await wire.ask("POST", path, data=part + part + b"--b--\r\n", headers=torn, status=400)
    await wire.get(f"/artifact/{made['id']}/file", status=404)
