"""The same in a plain script: python examples/without_await.py CONNECTION"""

from __future__ import annotations

import sys

from rpa_bridge.sync import Bridge


def main(connection: str) -> None:
    """Lists what can be run, starts one, and waits."""
    with Bridge.load() as bridge:
        platform = bridge[connection]
        for automation in platform.automations.find():
            print("can run", automation.name)
        job = platform.jobs.wait(platform.jobs.start("Invoices"), timeout=900)
        print(f"job {job.id}: {job.outcome}")


if __name__ == "__main__":
    main(sys.argv[1])
