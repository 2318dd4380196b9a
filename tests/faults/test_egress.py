"""The quick form of row 14."""

from __future__ import annotations

from tests.faults import egress


async def test_no_credential_leaves_for_another_origin() -> None:
    found = await egress.away()

    assert found.pointed >= 300
    assert found.requests > 2, "files without credentials are fetched from where the platform says"
    assert found.with_credentials == 0


async def test_control_aiohttp_alone_takes_them_along() -> None:
    found = await egress.away(100, guard=False)

    assert found.with_credentials > 5
