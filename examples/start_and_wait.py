"""Starts a job and waits for its end: python examples/start_and_wait.py CONNECTION"""

from __future__ import annotations

import asyncio
import sys

from rpa_bridge import Bridge, JobOutcome


async def main(connection: str) -> int:
    """Exit code 0 when the job succeeded."""
    async with Bridge.load() as bridge:
        jobs = bridge[connection].jobs
        # The key makes it safe to run this script twice: the second run finds the first one's job.
        job = await jobs.start("Invoices", {"month": "2026-10"}, key="invoices-2026-10")
        job = await jobs.wait(job, timeout=900)
        print(f"job {job.id}: {job.outcome}, outputs {job.outputs}")
        return 0 if job.outcome is JobOutcome.SUCCEEDED else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
