"""Starts a task with BotCity's SDK, which keeps no token and logs in: python botcity_sdk.py ADDRESS"""

import sys

from botcity.maestro import BotMaestroSDK

sdk = BotMaestroSDK(sys.argv[1], "benchmark", "benchmark-secret")
sdk.login()
print(sdk.create_task("Invoices", {"month": "2026-10"}).id, flush=True)
