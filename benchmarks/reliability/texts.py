"""Rows 12 to 14, 24, 28 and 30: what comes in, what is shown, what goes out, and what is left on disk."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults import bad_servers, bombs, egress, malformed, places, shown, texts

from .row import Found, Row, Size, judged

ROOT = Path(__file__).parents[2]
VENDORS = ("uipath", "botmaestro")
MOST_MEBIBYTES = 32
PLUG_INS = "tests/unit/test_registry.py"


def malformed_answers(n: Size) -> Found:
    calls, over_sockets = n.of(50_000, 1_000), n.of(5_000, 300)
    found = [asyncio.run(malformed.in_memory(one, calls, seed=n.seed, guard=n.guard)) for one in VENDORS]
    if n.guard:
        found += [asyncio.run(malformed.over_sockets(one, over_sockets, seed=n.seed)) for one in VENDORS]
    errors, untyped = sum(one.errors.total() for one in found), [text for one in found for text in one.untyped]
    return judged(
        f"{sum(one.calls for one in found):,} answers: {errors:,} typed errors, {len(untyped):,} of another kind",
        (not untyped, "an answer ended in an error without a type of ours"),
    )


def shown_secrets(n: Size) -> Found:
    found = shown.by_commands(n.of(1_200, 150), seed=n.seed, guard=n.guard)
    return judged(
        f"{found.commands:,} commands, {found.canaries:,} canaries in {found.characters:,} characters: "
        f"{len(found.found)} found",
        (not found.found, "a secret was shown"),
    )


def egress_of_credentials(n: Size) -> Found:
    found = asyncio.run(egress.away(n.of(5_000, 300), seed=n.seed, guard=n.guard))
    return judged(
        f"pointed away {found.pointed:,} times: {found.requests:,} requests, {found.with_credentials:,} of them with a "
        f"credential",
        (found.with_credentials == 0, "a credential left for another origin"),
    )


def round_trips(n: Size) -> Found:
    found = {kind: texts.round_trips(kind, n.of(50_000, 500), seed=n.seed, guard=n.guard) for kind in texts.TRIPS}
    broken = [kind for kind, one in found.items() if one.broken is not None]
    return judged(
        f"{len(found)} kinds, {sum(one.texts for one in found.values()):,} texts: {len(broken)} kinds broken, "
        f"{sum(one.refused for one in found.values()):,} texts refused before sending",
        (not broken, f"a text did not arrive as it was sent: {', '.join(broken)}"),
    )


def bomb(n: Size) -> Found:
    size = n.of(1024, 256)
    found = asyncio.run(bombs.unfold(size, guard=n.guard))
    return judged(
        f"a bomb of {size} MiB: +{found.mebibytes} MiB",
        (found.mebibytes <= MOST_MEBIBYTES, f"it took {found.mebibytes} MiB"),
    )


def servers(n: Size) -> Found:
    with TemporaryDirectory() as folder:
        heard = asyncio.run(bad_servers.speak(Path(folder), guard=n.guard))
    return judged(
        f"{heard.refused} of {heard.servers} refused, {heard.bytes_received:,} bytes sent",
        (heard.refused == heard.servers, "a server was trusted that cannot prove who it is"),
        (heard.bytes_received == 0, "something was sent to it"),
    )


def plug_ins(_: Size) -> Found:
    """Whatever is installed: only what is named is imported."""
    program = (sys.executable, "-m", "pytest", "-q", PLUG_INS)
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    passed = re.search(r"(\d+) passed", done.stdout)
    return judged(f"{passed[1] if passed else 0} tests passed", (done.returncode == 0, f"{PLUG_INS} fails"))


def disks(n: Size) -> Found:
    with TemporaryDirectory() as folder:
        left = places.under_umask_zero(Path(folder), guard=n.guard)
    if not n.guard:
        return judged(f"{len(left.open_to_others)} open to others", (not left.open_to_others, "open to others"))
    codes = list(left.codes)
    for run in (places.without_a_home, places.on_a_full_disk):
        with TemporaryDirectory() as folder:
            codes += run(Path(folder)).codes
    return judged(
        f"{len(codes)} commands, {sum(map(bool, codes))} failed; {len(left.modes)} files and folders, "
        f"{len(left.open_to_others)} open to others",
        (not any(codes), "a command failed for want of a disk"),
        (not left.open_to_others, "a file can be read or changed by others"),
    )


BEFORE = (
    Row(12, "100,000 malformed answers, and 10,000 over sockets in 13 layouts: only typed errors", malformed_answers),
    Row(
        13,
        "more than 60 canaries, every command 30 times on good and bad days: 0 secrets shown, in any spelling",
        shown_secrets,
    ),
    Row(14, "5,000 redirects, links and addresses that point away: 0 credentials sent there", egress_of_credentials),
)
AFTER = (
    Row(
        24,
        "filters, paths, keys, parameters, folders, references: 50,000 texts each arrive as they were sent",
        round_trips,
    ),
    Row(28, "an answer that unfolds to 1 GiB: 32 MiB of memory at most", bomb),
    Row(30, "5 servers that cannot prove who they are: all refused, 0 bytes sent", servers),
    Row(30, "a plug-in that is not named: 0 imports", plug_ins, control="the same tests import the one that is named"),
    Row(30, "no home, a full disk, `umask 0`: no command fails, files 0600, folders 0700", disks),
)
