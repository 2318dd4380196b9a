"""Between UiPath's words and ours: the tables are whole, and nothing that a server writes makes them raise."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpa_bridge import Failure, FailureKind, ItemDraft, ItemState, JobOutcome, JobState, Priority, ProtocolError
from rpa_bridge_uipath.jobs import START_OPTIONS
from rpa_bridge_uipath.mapping import automations, common, jobs, queues
from rpa_bridge_uipath.wire.automations import ReleaseDto
from rpa_bridge_uipath.wire.jobs import JobDto
from rpa_bridge_uipath.wire.queues import QueueDefinitionDto, QueueItemDto

DEFINITION = Path(__file__).parents[4] / "shared" / "vendors" / "uipath-orchestrator.openapi.json"
JOB_WORDS = (  # docs: uipath.md 3.8 "States"
    "Pending", "Running", "Stopping", "Terminating", "Faulted", "Successful", "Stopped", "Suspended", "Resumed",
)  # fmt: skip
ITEM_WORDS = (  # docs: uipath.md 3.10 "States"
    "New", "InProgress", "Failed", "Successful", "Abandoned", "Retried", "Deleted",
)  # fmt: skip
PRIORITY_WORDS = ("High", "Normal", "Low")
EXCEPTION_WORDS = ("ApplicationException", "BusinessException")

JOB = {"Id": 7, "Key": "3f25", "State": "Pending"}
ITEM = {"Id": 9, "Status": "New"}


def job(**members: Any) -> Any:
    """A job as the wire has it, in our words."""
    return jobs.job(JobDto.of(JOB | members, "test"))


def item(**members: Any) -> Any:
    """An item as the wire has it, in our words."""
    return queues.item(QueueItemDto.of(ITEM | members, "test"), "Invoices")


def test_the_tables_cover_every_word_of_the_wire() -> None:
    assert set(jobs.JOB_STATES) == set(JOB_WORDS)
    assert set(queues.ITEM_STATES) == set(ITEM_WORDS)
    assert set(common.PRIORITIES.values()) == set(PRIORITY_WORDS)
    assert set(queues.FAILURE_TYPES.values()) == set(EXCEPTION_WORDS)


@pytest.mark.skipif(not DEFINITION.exists(), reason="the published definition does not lie beside this checkout")
def test_the_published_definition_has_no_other_words() -> None:
    schemas = json.loads(DEFINITION.read_text(encoding="utf-8"))["components"]["schemas"]

    def words(schema: str, member: str) -> set[str]:
        return set(schemas[schema]["properties"][member]["enum"])

    assert words("JobDto", "State") == set(JOB_WORDS)
    assert words("QueueItemDto", "Status") == set(ITEM_WORDS)
    assert words("JobDto", "JobPriority") == words("QueueItemDto", "Priority") == set(PRIORITY_WORDS)
    assert words("ProcessingExceptionDto", "Type") == set(EXCEPTION_WORDS)
    assert set(schemas["StartProcessDto"]["properties"]) >= set(START_OPTIONS)


@pytest.mark.parametrize("word", JOB_WORDS)
def test_a_job_state_comes_back_through_its_filter(word: str) -> None:
    assert word in jobs.job_state_filter(job(State=word).state)


@pytest.mark.parametrize("word", ITEM_WORDS)
def test_an_item_state_comes_back_through_its_filter(word: str) -> None:
    assert queues.item_state_filter(item(Status=word).state) == [word]


def test_states_that_uipath_does_not_have_filter_nothing() -> None:
    assert jobs.job_state_filter(JobState.UNKNOWN) == []
    assert queues.item_state_filter(ItemState.CANCELLED) == queues.item_state_filter(ItemState.UNKNOWN) == []


@pytest.mark.parametrize("word", ["", "pending", "Archived"])
def test_a_word_from_the_future_is_unknown_and_kept(word: str) -> None:
    assert (job(State=word).state, job(State=word).outcome, job(State=word).native_state) == (
        JobState.UNKNOWN,
        None,
        word,
    )
    assert (item(Status=word).state, item(Status=word).native_state) == (ItemState.UNKNOWN, word)
    assert job(JobPriority=word).priority is None
    assert item(Priority=word).priority is Priority.NORMAL
    assert item(ProcessingException={"Type": word or "New", "Reason": "x"}).failure.kind is FailureKind.APPLICATION


def test_a_job_that_was_asked_to_stop_says_so() -> None:
    assert [word for word in JOB_WORDS if job(State=word).stop_requested] == ["Stopping", "Terminating"]
    assert job(State="Stopped").outcome is JobOutcome.STOPPED


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ('{"month": "2026-10", "n": 1.5}', {"month": "2026-10", "n": 1.5}),
        (None, {}),
        ("", {}),
        ("not JSON", {}),
        ('{"cut', {}),
        ("[1, 2]", {}),
        ("null", {}),
        ("[" * 100_000, {}),
        ("9" * 5000, {}),
    ],
)
def test_arguments_are_read_from_their_text_or_are_empty(text: str | None, arguments: dict[str, Any]) -> None:
    assert job(InputArguments=text, OutputArguments=text).inputs == arguments
    assert job(InputArguments=text, OutputArguments=text).outputs == arguments


def test_the_notes_of_odata_are_no_values() -> None:
    content = {"n": 1, "n@odata.type": "#Int64", "@odata.type": "#UiPath.Content", "mail": "a@odata.org"}
    read = item(SpecificContent=content, Output=content)
    assert read.values == read.output == {"n": 1, "mail": "a@odata.org"}
    assert read.raw_data["SpecificContent"] == content


def test_members_that_are_missing_or_null_leave_their_place_empty() -> None:
    bare = job()
    assert (bare.automation, bare.inputs, bare.message, bare.key, bare.robot, bare.created_at) == (
        "", {}, None, None, None, None,
    )  # fmt: skip
    nulls = dict.fromkeys(("Reference", "Priority", "SpecificContent", "ProcessingException", "RetryNumber", "DueDate"))
    assert item(**nulls) == item()
    assert (item().values, item().attempt, item().failure, item().priority) == ({}, 1, None, Priority.NORMAL)
    assert item(ProcessingException={}).failure is None


@pytest.mark.parametrize("data", [{}, {"Id": 1}, {"Id": "x", "Key": "k", "State": "New"}, [], None, "job"])
def test_what_is_no_job_is_a_protocol_error_that_names_the_operation(data: Any) -> None:
    with pytest.raises(ProtocolError, match=r"jobs\.get: the platform's answer is not a JobDto"):
        JobDto.of(data, "jobs.get")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-10-05T08:00:00Z", datetime(2026, 10, 5, 8, tzinfo=UTC)),
        ("2026-10-05T08:00:00.1234567Z", datetime(2026, 10, 5, 8, 0, 0, 123456, tzinfo=UTC)),
        ("2026-10-05T08:00:00", datetime(2026, 10, 5, 8, tzinfo=UTC)),
        ("2026-10-05T08:00:00+02:00", datetime(2026, 10, 5, 6, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_times_are_read_leniently_and_are_aware(text: str | None, moment: datetime | None) -> None:
    assert job(CreationTime=text).created_at == moment
    assert item(DeferDate=text).not_before == moment


def test_a_release_and_a_queue_in_our_words() -> None:
    release = {"Id": 1, "Key": "k-1", "Name": "Invoices", "ProcessKey": "Acme.Invoices", "ProcessVersion": "1.2.0"}
    read = automations.automation(ReleaseDto.of(release, "test"))
    assert (read.id, read.name, read.package, read.version) == ("k-1", "Invoices", "Acme.Invoices", "1.2.0")
    definition = {"Id": 3, "Name": "Invoices", "MaxNumberOfRetries": 5, "EnforceUniqueReference": True}
    quiet = queues.queue(QueueDefinitionDto.of(definition, "test"))
    assert (quiet.id, quiet.retries, quiet.unique_references) == ("3", 0, True)
    retrying = QueueDefinitionDto.of(definition | {"AcceptAutomaticallyRetry": True}, "test")
    assert queues.queue(retrying).retries == 5


def start(**options: Any) -> dict[str, Any]:
    """The body of a start with these options."""
    asked = jobs.Start(
        automation="Invoices", inputs={"m": "ü"}, reference="k-1", priority=Priority.LOW, options=options
    )
    info: dict[str, Any] = jobs.start_info("release-1", asked, {"InputFile": "file-1"})["startInfo"]
    return info


def test_a_start_says_what_was_asked_for() -> None:
    assert start() == {
        "ReleaseKey": "release-1",
        "Strategy": "ModernJobsCount",
        "JobsCount": 1,
        "InputFile": "file-1",
        "Reference": "k-1",
        "JobPriority": "Low",
        "SpecificPriorityValue": 25,
    }
    assert start(SpecificPriorityValue=30)["SpecificPriorityValue"] == 30


def test_a_count_goes_only_with_a_strategy_that_counts() -> None:
    specific = start(Strategy="Specific", RobotIds=[701])
    assert "JobsCount" not in specific
    assert specific["RobotIds"] == [701]
    assert start(Strategy="JobsCount")["JobsCount"] == 1


@pytest.mark.parametrize(
    ("options", "one"),
    [
        ({}, True),
        ({"Strategy": "JobsCount"}, True),
        ({"Strategy": "Specific", "RobotIds": [701]}, True),
        ({"Strategy": "Specific", "RobotIds": [701, 702]}, False),
        ({"Strategy": "Specific"}, False),
        ({"Strategy": "All"}, False),
        ({"Strategy": None}, False),
    ],
)
def test_a_start_is_one_job(options: dict[str, Any], one: bool) -> None:
    assert jobs.starts_one_job(options) is one


JSON_VALUES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20)


@given(st.dictionaries(st.text(max_size=10), JSON_VALUES, max_size=5))
def test_inputs_survive_their_text(inputs: dict[str, Any]) -> None:
    assert job(InputArguments=jobs.arguments_text(inputs)).inputs == inputs


@given(
    st.dictionaries(st.text(max_size=10).filter(lambda name: "@odata." not in name), JSON_VALUES, max_size=5),
    st.none() | st.text(min_size=1, max_size=20),
    st.sampled_from(Priority),
    st.none()
    | st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-8))]), min_value=datetime(2000, 1, 1)),  # noqa: DTZ001 - hypothesis adds the zone
)
def test_an_item_survives_its_body(
    values: dict[str, Any], reference: str | None, priority: Priority, moment: datetime | None
) -> None:
    draft = ItemDraft(values=values, reference=reference, priority=priority, not_before=moment, due_at=moment)
    data = queues.item_data("Invoices", draft, mark="rb-1")["itemData"]
    assert data.pop("Name") == "Invoices"
    assert data["ParentOperationId"] == "rb-1"
    read = item(**json.loads(json.dumps(data)))
    assert (read.values, read.reference, read.priority) == (values, reference, priority)
    assert read.not_before == read.due_at == moment


def test_what_a_draft_leaves_out_is_not_sent() -> None:
    data = queues.item_data("Invoices", ItemDraft(values={"n": 1}), mark=None)
    assert data == {"itemData": {"Name": "Invoices", "Priority": "Normal", "SpecificContent": {"n": 1}}}


@pytest.mark.parametrize("kind", list(FailureKind))
@pytest.mark.parametrize("detail", [None, "a long story"])
def test_a_failure_survives_its_body(kind: FailureKind, detail: str | None) -> None:
    failure = Failure(kind=kind, reason="no", detail=detail)
    result = queues.failed(failure)["transactionResult"]
    assert result["IsSuccessful"] is False
    assert item(ProcessingException=result["ProcessingException"]).failure == failure


def test_a_success_carries_its_output() -> None:
    assert queues.succeeded({"paid": "yes"}) == {"transactionResult": {"IsSuccessful": True, "Output": {"paid": "yes"}}}


ANY_TEXT = st.none() | st.text(max_size=30) | st.sampled_from([*JOB_WORDS, *ITEM_WORDS, *PRIORITY_WORDS, '{"a": NaN}'])
ANY_CONTENT = st.none() | st.dictionaries(st.text(max_size=10), JSON_VALUES, max_size=4)


@given(
    st.text(max_size=20) | st.sampled_from(JOB_WORDS),
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            (
                "ReleaseName", "Info", "Reference", "JobPriority", "InputArguments", "OutputArguments",
                "CreationTime", "StartTime", "EndTime",
            ),
            ANY_TEXT,
        ) | {"Robot": st.none() | st.fixed_dictionaries({"Name": ANY_TEXT})},
    ),
)  # fmt: skip
def test_no_job_makes_the_mapping_raise(state: str, members: dict[str, Any]) -> None:
    read = job(State=state, **members)
    assert read.native_state == state
    assert read.finished == (state in ("Faulted", "Successful", "Stopped"))


@given(
    st.text(max_size=20) | st.sampled_from(ITEM_WORDS),
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("Key", "Priority", "Reference", "Progress", "DueDate", "DeferDate", "CreationTime", "EndProcessing"),
            ANY_TEXT,
        )
        | {
            "SpecificContent": ANY_CONTENT,
            "Output": ANY_CONTENT,
            "ProcessingException": st.none()
            | st.fixed_dictionaries({}, optional=dict.fromkeys(("Reason", "Details", "Type"), ANY_TEXT)),
            "AncestorId": st.none() | st.integers(),
            "RetryNumber": st.none() | st.integers(0, 50),
        },
    ),
)
def test_no_item_makes_the_mapping_raise(status: str, members: dict[str, Any]) -> None:
    read = item(Status=status, **members)
    assert read.native_state == status
    assert read.attempt == (members.get("RetryNumber") or 0) + 1
