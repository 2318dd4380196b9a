"""Standard tests of logs."""

from __future__ import annotations

import csv
from datetime import timedelta

from rpa_bridge.contract.features import Feature
from rpa_bridge.errors import ConflictError, NotFoundError

from .stage import Stage, listed
from .standard import requires

ROWS = ({"customer": "größer ☃", "total": "3"}, {"customer": 'it\'s "quoted", 100 %', "total": ""})


async def _log_with_rows(stage: Stage) -> str:
    log = await stage.adapter.logs.create(stage.new_name("log"), ["customer", "total"])
    for row in ROWS:
        await stage.adapter.logs.append(log.name, row)
        stage.harness.advance(1)
    return log.name


class LogTests:
    """Standard tests of what runs wrote down."""

    @requires("logs.find")
    async def test_entries_come_oldest_first(self, stage: Stage) -> None:
        moments = [entry.at async for entry in stage.adapter.logs.find() if entry.at is not None]
        assert all(moment.utcoffset() is not None for moment in moments)
        assert moments == sorted(moments)

    @requires("logs.find")
    async def test_nothing_was_written_in_the_future(self, stage: Stage) -> None:
        tomorrow = stage.harness.now() + timedelta(days=1)
        assert await listed(stage.adapter.logs.find(since=tomorrow)) == []

    @requires("logs.find")
    async def test_an_unknown_log_has_no_entries(self, stage: Stage) -> None:
        with stage.refused(NotFoundError):
            await listed(stage.adapter.logs.find(stage.new_name("log")))

    @requires(Feature.LOG_CREATE)
    async def test_a_new_log_has_its_columns(self, stage: Stage) -> None:
        name = stage.new_name("log")
        log = await stage.adapter.logs.create(name, ["customer", "total"])
        assert log.id
        assert (log.name, log.columns) == (name, ("customer", "total"))
        assert await listed(stage.adapter.logs.find(name)) == []

    @requires(Feature.LOG_CREATE)
    async def test_a_logs_name_is_given_once(self, stage: Stage) -> None:
        name = stage.new_name("log")
        await stage.adapter.logs.create(name, ["customer"])
        with stage.refused(ConflictError):
            await stage.adapter.logs.create(name, ["customer"])

    @requires(Feature.LOG_APPEND, Feature.LOG_CREATE)
    async def test_appended_entries_come_back_in_order(self, stage: Stage) -> None:
        name = await _log_with_rows(stage)
        assert [entry.values async for entry in stage.adapter.logs.find(name)] == list(ROWS)

    @requires(Feature.LOG_APPEND)
    async def test_nothing_is_appended_to_an_unknown_log(self, stage: Stage) -> None:
        with stage.refused(NotFoundError):
            await stage.adapter.logs.append(stage.new_name("log"), {"customer": "nobody"})

    @requires(Feature.LOG_EXPORT, Feature.LOG_CREATE, Feature.LOG_APPEND)
    async def test_an_exported_log_is_csv_with_the_same_rows(self, stage: Stage) -> None:
        name = await _log_with_rows(stage)
        content = b"".join(await listed(stage.adapter.logs.export(name))).decode("utf-8-sig")
        rows = list(csv.DictReader(content.splitlines()))
        assert [{column: row[column] for column in ("customer", "total")} for row in rows] == list(ROWS)

    @requires(Feature.LOG_EXPORT)
    async def test_an_unknown_log_cannot_be_exported(self, stage: Stage) -> None:
        with stage.refused(NotFoundError):
            await listed(stage.adapter.logs.export(stage.new_name("log")))

    @requires(Feature.LOG_DELETE, Feature.LOG_CREATE)
    async def test_a_deleted_log_is_gone(self, stage: Stage) -> None:
        name = stage.new_name("log")
        await stage.adapter.logs.create(name, ["customer"])
        await stage.adapter.logs.delete(name)
        with stage.refused(NotFoundError):
            await stage.adapter.logs.delete(name)
