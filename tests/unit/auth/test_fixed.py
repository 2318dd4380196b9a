"""A token from the settings: it is what it is."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from rpa_bridge.auth.fixed import FixedToken
from rpa_bridge.errors import ConfigError
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.testing import ManualClock

CANARY = "canary-personal-access-token"


async def test_it_is_handed_out_for_ever_even_after_the_platform_refused_it(clock: ManualClock) -> None:
    fixed = FixedToken(SecretStr(CANARY), clock)
    token = await fixed.get()
    clock.advance(400 * 86_400.0)
    await fixed.reject(token)
    await fixed.fetch_anew()

    assert await fixed.get() is token
    assert token.value.get_secret_value() == CANARY


async def test_its_status_says_where_it_stands_and_nothing_of_it(clock: ManualClock) -> None:
    fixed = FixedToken(SecretStr(CANARY), clock)
    status = await fixed.status()

    assert (status.state, status.stored, status.expires_at, status.refresh_kept) == ("fixed", "settings", None, False)
    assert CANARY not in f"{status!r} {fixed!r} {vars(fixed)} {await fixed.get()!r}"
    assert REDACTOR.clean(f"sent {CANARY}") == "sent ***"


async def test_only_its_owner_can_forget_it(clock: ManualClock) -> None:
    with pytest.raises(ConfigError, match="stands in the settings: take it out there"):
        await FixedToken(SecretStr(CANARY), clock).forget()
