"""The quick form of row 2."""

from __future__ import annotations

from tests.faults.effects import effects
from tests.faults.history import Wrong
from tests.faults.proxy import Fate

EFFECTS = 300
SEED = 2


async def test_through_a_gateway_that_fails_half_of_them_each_effect_is_carried_out_once() -> None:
    done = await effects(EFFECTS, seed=SEED)

    assert not done.violations, "\n".join(map(str, done.violations))
    assert not done.given_up
    assert min(done.fates[fate] for fate in Fate) > EFFECTS // 20


async def test_control_where_everything_is_repeated_a_fifth_is_doubled() -> None:
    done = await effects(EFFECTS // 2, seed=SEED, guard=False)

    assert done.count(Wrong.DOUBLED) > EFFECTS // 2 // 5
