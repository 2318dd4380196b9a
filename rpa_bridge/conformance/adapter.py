"""What holds for a whole adapter: opening, looking, what it says of itself, closing."""

from __future__ import annotations

import contextlib

from rpa_bridge.contract.adapter import CONTRACT
from rpa_bridge.contract.features import Feature, features_of
from rpa_bridge.errors import BridgeError, UnsupportedError
from rpa_bridge.transport.base import Effect, Request

from .stage import Stage
from .standard import requires


class AdapterTests:
    """Standard tests of the adapter as a whole."""

    @requires("adapter.open")
    async def test_opening_sends_nothing(self, stage: Stage) -> None:
        assert stage.harness.sent() == 0

    @requires("adapter.check")
    async def test_check_finds_everything_well_on_a_good_day(self, stage: Stage) -> None:
        findings = await stage.adapter.check()
        assert findings
        for one in findings:
            assert one.subject
            assert one.message
            assert one.ok, one.message

    @requires("adapter.info")
    async def test_the_adapter_says_what_it_is(self, stage: Stage) -> None:
        info = stage.adapter.info
        assert info.name.islower()
        assert info.title
        assert info.contract == CONTRACT
        assert stage.adapter.connection
        limits = stage.limits
        for number in (limits.name_length, limits.reference_length, limits.item_bytes, limits.input_chars):
            assert number is None or number > 0
        for pace in (limits.batch_size, limits.page_size, limits.lists_per_minute, limits.calls_per_second):
            assert pace is None or pace > 0

    @requires("adapter.place")
    async def test_the_adapter_says_where_it_sends_and_how_long_that_may_take(self, stage: Stage) -> None:
        assert stage.adapter.place.strip(), "without a place, nobody can tell what was sent where"
        assert stage.adapter.settle_window >= 0

    @requires("adapter.capabilities")
    async def test_features_are_those_that_the_code_has(self, stage: Stage) -> None:
        for service in stage.adapter.services:
            assert service.adapter_name == stage.adapter.info.name
            declared = {one for one in stage.adapter.capabilities.features if one.startswith(f"{service.noun}.")}
            assert declared == features_of(type(service))
            assert not (service.is_absent and declared)

    @requires("adapter.limits")
    async def test_secrets_are_read_exactly_where_they_are_said_to_be(self, stage: Stage) -> None:
        assert (Feature.CREDENTIAL_REVEAL in stage.adapter.capabilities) == stage.limits.reads_secrets

    @requires("adapter.repr")
    async def test_nothing_shows_a_secret(self, stage: Stage) -> None:
        await stage.adapter.check()
        status = await stage.adapter.login_status()
        shown = [
            stage.adapter,
            status,
            vars(stage.adapter),
            *stage.adapter.services,
            *map(vars, stage.adapter.services),
        ]
        for secret in stage.harness.secrets:
            for one in shown:
                assert secret not in repr(one), f"the repr of {type(one).__name__} shows a secret"
                assert secret not in str(one), f"the text of {type(one).__name__} shows a secret"

    @requires("adapter.login_status")
    async def test_the_login_is_told_where_there_is_one(self, stage: Stage) -> None:
        assert (await stage.adapter.check())[0].ok
        sent = stage.harness.sent()
        status = await stage.adapter.login_status()
        assert stage.harness.sent() == sent, "login_status must not ask the platform"
        if status is not None:
            assert status.identity
            assert status.state in {"fresh", "aging", "stale"}, "check has just logged in"
            assert status.expires_at is None or status.expires_at.utcoffset() is not None

    @requires("adapter.forget_login")
    async def test_a_forgotten_login_is_made_anew(self, stage: Stage) -> None:
        if await stage.adapter.login_status() is None:
            with stage.refused(UnsupportedError, unsent=True):
                await stage.adapter.forget_login()
            return
        await stage.adapter.check()
        await stage.adapter.forget_login()
        status = await stage.adapter.login_status()
        assert status is not None
        assert status.state == "absent"
        assert all(one.ok for one in await stage.adapter.check())

    @requires("adapter.raw")
    async def test_the_raw_door_is_open_or_says_that_there_is_none(self, stage: Stage) -> None:
        request = Request("GET", "/conformance-no-such-path", effect=Effect.READ, operation="conformance.raw")
        await stage.adapter.check()
        sent = stage.harness.sent()
        if sent == 0:
            with stage.refused(UnsupportedError):
                await stage.adapter.raw.send(request)
            return
        with contextlib.suppress(BridgeError):  # it may be refused, but it has to be asked
            await stage.adapter.raw.send(request)
        assert stage.harness.sent() > sent

    @requires("adapter.aclose")
    async def test_closing_twice_does_no_harm(self, stage: Stage) -> None:
        await stage.adapter.aclose()
        await stage.adapter.aclose()
