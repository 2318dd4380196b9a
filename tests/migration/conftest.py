"""Two ends for each pair of platforms; see `ends` for what is in them.

The files of local platforms hold secrets in clear, and so do not lie below a test's `tmp_path`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.migration.ends import PAIRS, Ends, filled, two_ends
from tests.migration.moved import OpenEnds, opener


@pytest.fixture(params=PAIRS, ids="-to-".join)
async def ends(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ends]:
    """Each pair of platforms, the source filled; each test that asks for it runs once for each pair."""
    source, target = request.param
    async with two_ends(source, target, tmp_path_factory.mktemp("ends")) as both:
        await filled(both.source.adapter)
        yield both


@pytest.fixture
async def local_ends(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ends]:
    """Two local platforms, the source filled: for tests of what has nothing to do with a vendor."""
    async with two_ends("local", "local", tmp_path_factory.mktemp("ends")) as both:
        await filled(both.source.adapter)
        yield both


@pytest.fixture
async def open_ends(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OpenEnds]:
    """Opens two ends of any kinds, the source filled."""
    async with AsyncExitStack() as stack:
        yield opener(stack, tmp_path_factory.mktemp("ends"))
