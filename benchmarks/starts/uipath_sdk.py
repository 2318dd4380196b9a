"""Starts a job with UiPath's SDK, which is given a token: python uipath_sdk.py ADDRESS"""

import sys

from uipath.platform import UiPath

sdk = UiPath(base_url=f"{sys.argv[1]}/acme/default", secret="benchmark-token")  # noqa: S106
print(sdk.processes.invoke("Invoices", {"month": "2026-10"}).id, flush=True)
