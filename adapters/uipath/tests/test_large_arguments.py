"""Inputs and outputs that are too long for UiPath's text: attachments hold them, and no start is lost or doubled."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from rpa_bridge import Adapter, DeniedError, InvalidError, ProtocolError, UnavailableError
from rpa_bridge.errors import Delivery
from rpa_bridge.sandbox.faults import Fault, FaultKind, When
from rpa_bridge.sandbox.lifecycle import Ending
from rpa_bridge.sandbox.server import Sandbox
from rpa_bridge.sandbox.world import Exchange
from rpa_bridge_uipath.jobs import arguments

START = "POST *StartJobs"
CREATE = "POST */odata/Attachments"
ASK = "GET */odata/Attachments(*"
PUT = "PUT /attachments/*"
GET = "GET /attachments/*"
Requests = Callable[[str], list[Exchange]]
LONG = {"text": "größer ☃ " * 5000}
LONG_OUTPUTS = {"rows": ["größer ☃"] * 5000}


def inputs_of(characters: int, *, letter: str = "x") -> dict[str, str]:
    """Inputs that are this long as JSON."""
    return {"text": letter * (characters - len('{"text": ""}'))}


async def test_long_inputs_go_through_an_attachment(erp: Adapter, requests: Requests) -> None:
    job = await erp.jobs.start("Invoices", LONG)

    info = json.loads(requests(START)[0].body)["startInfo"]
    assert "InputArguments" not in info
    assert info["InputFile"] == job.raw_data["InputFile"]
    assert job.inputs == (await erp.jobs.get(job.id)).inputs == LONG
    assert [one.status for one in requests(PUT)] == [201]
    assert "authorization" not in requests(PUT)[0].headers


@pytest.mark.parametrize(
    ("inputs", "files"),
    [
        (inputs_of(10_000), 0),
        (inputs_of(10_001), 1),
        (inputs_of(10_000, letter="ü"), 0),
        (inputs_of(5_012, letter="😀"), 1),  # docs: .NET counts an emoji as two
    ],
)
async def test_as_much_as_fits_stays_in_the_request(
    erp: Adapter, requests: Requests, inputs: dict[str, str], files: int
) -> None:
    job = await erp.jobs.start("Invoices", inputs)

    assert len(requests(CREATE)) == len(requests(PUT)) == files
    assert (await erp.jobs.get(job.id)).inputs == inputs


async def test_many_jobs_share_one_attachment(erp: Adapter, requests: Requests) -> None:
    jobs = await erp.jobs.start_many("Invoices", 3, LONG)

    assert all(job.inputs == LONG for job in jobs)
    assert len(requests(PUT)) == 1


async def test_waiting_does_not_fetch_the_inputs_at_every_look(
    sandbox: Sandbox, erp: Adapter, open_erp: Callable[..., Adapter], requests: Requests
) -> None:
    sandbox.world.lifecycle.looks = 10
    job = await erp.jobs.start("Invoices", LONG)
    sandbox.world.lifecycle.endings["Invoices"] = Ending(outputs={})

    finished = await open_erp().jobs.wait(job.id, timeout=600)

    assert finished.inputs == LONG
    assert len(requests("GET */odata/Jobs(*")) > 5
    assert len(requests(GET)) == 1


async def test_a_server_without_attachments_names_the_limit(sandbox: Sandbox, erp: Adapter, requests: Requests) -> None:
    sandbox.world.switches["uipath.attachments"] = False

    with pytest.raises(
        InvalidError, match=r"have 45\d\d\d? characters as JSON; more than 10000 fit only into an"
    ) as caught:
        await erp.jobs.start("Invoices", LONG, key="k-1")
    assert caught.value.delivery is Delivery.NOT_SENT
    assert requests(START) == []


@pytest.mark.parametrize("match", [CREATE, PUT])
async def test_an_upload_that_fails_has_started_nothing_and_says_so(
    sandbox: Sandbox, erp: Adapter, requests: Requests, match: str
) -> None:
    sandbox.faults.add(Fault(FaultKind.STATUS, match=match, status=503, times=99))

    with pytest.raises(UnavailableError) as caught:
        await erp.jobs.start("Invoices", LONG)
    assert not caught.value.maybe_applied
    assert requests(START) == []


@pytest.mark.parametrize("match", [CREATE, PUT])
@pytest.mark.parametrize("when", list(When))
async def test_an_upload_whose_answer_was_lost_is_repeated(
    sandbox: Sandbox, erp: Adapter, requests: Requests, match: str, when: When
) -> None:
    sandbox.faults.add(Fault(FaultKind.CUT, match=match, when=when))

    job = await erp.jobs.wait(await erp.jobs.start("Invoices", LONG), timeout=60)

    assert (job.inputs, job.outputs) == (LONG, LONG)
    assert len(requests(match)) == 2
    assert len(requests(START)) == 1


async def test_a_start_whose_answer_was_lost_uploads_nothing_again(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    sandbox.faults.add(Fault(FaultKind.CUT, match=START, when=When.AFTER))

    job = await erp.jobs.start("Invoices", LONG, key="k-1")
    again = await erp.jobs.start("Invoices", LONG, key="k-1")

    assert (again.id, again.inputs) == (job.id, LONG)
    assert len(requests(START)) == len(requests(CREATE)) == 1


async def test_half_a_character_in_long_inputs_is_refused_and_nothing_is_sent_there(
    erp: Adapter, requests: Requests
) -> None:
    with pytest.raises(InvalidError, match="holds half of a character") as caught:
        await erp.jobs.start("Invoices", LONG | {"cut": "\ud83d"})
    assert caught.value.__context__ is None, "it would keep the whole text"
    assert requests(START) == requests(CREATE) == []


async def test_long_outputs_come_from_their_attachment_and_only_to_those_who_ask(
    sandbox: Sandbox, erp: Adapter, requests: Requests
) -> None:
    sandbox.world.lifecycle.endings["Invoices"] = Ending(outputs=LONG_OUTPUTS)
    job = await erp.jobs.start("Invoices")

    assert [one.outputs async for one in erp.jobs.find()] == [{}]
    assert requests(GET) == []
    assert (await erp.jobs.wait(job, timeout=60)).outputs == LONG_OUTPUTS
    assert len(requests(GET)) == 1
    assert "authorization" not in requests(GET)[0].headers


async def test_outputs_that_were_deleted_leave_the_job_readable(
    sandbox: Sandbox, erp: Adapter, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.world.lifecycle.endings["Invoices"] = Ending(outputs=LONG_OUTPUTS)
    job = await erp.jobs.wait(await erp.jobs.start("Invoices"), timeout=60)
    face: Any = sandbox.faces["uipath"]
    face._state.table("attachments").clear()

    assert (await erp.jobs.get(job.id)).outputs == {}
    assert f"the outputs of job {job.id} are gone" in caplog.text


async def test_outputs_that_may_not_be_read_are_not_taken_for_none(sandbox: Sandbox, erp: Adapter) -> None:
    sandbox.world.lifecycle.endings["Invoices"] = Ending(outputs=LONG_OUTPUTS)
    job = await erp.jobs.start("Invoices")
    await erp.jobs.stop(job.id)
    sandbox.faults.add(Fault(FaultKind.STATUS, match=ASK, status=403))

    with pytest.raises(DeniedError, match="give this identity the scope"):
        await erp.jobs.wait(job, timeout=60)


async def test_inputs_that_may_not_be_read_hide_no_job(
    sandbox: Sandbox, erp: Adapter, open_erp: Callable[..., Adapter], caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.world.lifecycle.endings["Invoices"] = Ending(outputs={"paid": True})
    job = await erp.jobs.start("Invoices", LONG)
    sandbox.faults.add(Fault(FaultKind.STATUS, match=ASK, status=403, times=99))

    seen = await open_erp().jobs.wait(job.id, timeout=60)

    assert (seen.inputs, seen.outputs) == ({}, {"paid": True})
    assert f"the inputs of job {job.id} are left out" in caplog.text


async def test_outputs_beyond_all_measure_are_left_to_artifacts(
    sandbox: Sandbox, erp: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arguments, "LARGEST", 1000)
    sandbox.world.lifecycle.endings["Invoices"] = Ending(outputs=LONG_OUTPUTS)
    job = await erp.jobs.start("Invoices")

    with pytest.raises(ProtocolError, match=r"larger than 1000 bytes; open it with artifacts\.open\('attachment:"):
        await erp.jobs.get(job.id)
