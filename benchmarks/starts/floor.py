"""Starts a job with nothing but the standard library: python floor.py ADDRESS"""

import json
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

server = HTTPConnection(urlsplit(sys.argv[1]).netloc)
path = "/acme/default/orchestrator_/odata/Jobs/UiPath.Server.Configuration.OData.StartJobs"
body = json.dumps({"startInfo": {"ReleaseName": "Invoices", "InputArguments": '{"month": "2026-10"}'}})
server.request("POST", path, body, {"Authorization": "Bearer benchmark-token", "Content-Type": "application/json"})
print(json.load(server.getresponse())["value"][0]["Id"], flush=True)
