from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from rpa_bridge.contract.jobs import JobOutcome, JobState
from rpa_bridge.contract.model import Priority
from rpa_bridge.errors import NotFoundError
from rpa_bridge_local import mapping


def test_every_word_for_a_jobs_state_has_a_neutral_one() -> None:
    assert set(mapping.JOB_STATES) == set(mapping.JobWord)


def test_every_outcome_has_a_word_that_means_it() -> None:
    assert set(mapping.JOB_WORDS) == set(JobOutcome)
    for outcome, word in mapping.JOB_WORDS.items():
        assert mapping.JOB_STATES[word] == (JobState.FINISHED, outcome)


def test_a_neutral_state_is_searched_by_all_its_words() -> None:
    assert mapping.job_words(None) is None
    assert mapping.job_words(JobState.RUNNING) == '["running"]'
    assert mapping.job_words(JobState.SUSPENDED) == "[]"
    assert str(mapping.job_words(JobState.FINISHED)).count(",") == 4


def test_every_priority_has_its_number_in_order() -> None:
    assert sorted(Priority, key=mapping.PRIORITIES.__getitem__) == [Priority.LOW, Priority.NORMAL, Priority.HIGH]


def test_moments_sort_as_their_texts_do_and_come_back() -> None:
    whole = datetime(2030, 1, 1, 12, tzinfo=UTC)
    moments = [whole, whole + timedelta(microseconds=1), whole.astimezone(timezone(timedelta(hours=9))) + timedelta(1)]
    texts = [mapping.moment_text(one) for one in moments]
    assert texts == sorted(str(text) for text in texts)
    assert [mapping.moment(text) for text in texts] == moments


@pytest.mark.parametrize("text", ["", "x", "-1", "1.0", " 1", "²", "٣", "9" * 19])
def test_an_id_that_cannot_be_ours_is_not_found(text: str) -> None:
    with pytest.raises(NotFoundError):
        mapping.row_id("job", text)
