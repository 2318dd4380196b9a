"""Rows 5 and 6: the migration's journal on spoilt disks, and of processes that were taken for dead."""

from __future__ import annotations

from .row import Found, Row, Size, judged


def torn(n: Size) -> Found:
    from tests.faults import ledgers

    found = ledgers.torn(n.of(1_000, 60), n.seed, guard=n.guard)
    wrong = [*found.doubled, *found.lost, *found.stumbled]
    return judged(
        f"{found.refused} refused, {found.whole + found.doubted} opened: {len(found.doubled)} sent something twice, "
        f"{len(found.lost)} lost something, {len(found.stumbled)} stumbled",
        (not wrong, wrong[0] if wrong else ""),
    )


def zombies(n: Size) -> Found:
    from tests.faults import ledgers

    found = ledgers.zombies(n.of(200, 8), n.seed, guard=n.guard)
    wrong = [*found.late, *found.doubled, *found.lost]
    return judged(
        f"{found.refused} were told; {len(found.late)} sends or changes too late, {len(found.doubled)} doubled, "
        f"{len(found.lost)} lost",
        (not wrong, wrong[0] if wrong else ""),
    )


ROWS = (
    Row(5, "1,000 torn journals: opened or refused cleanly, 0 lost, never a second effect", torn),
    Row(6, "a writer stopped, taken over, and let go on, 200 times: 0 sends in its old place", zombies),
)
