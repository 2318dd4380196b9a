"""The quick form of row 30's TLS. Each server by itself: tests/unit/transport/test_http_tls.py"""

from __future__ import annotations

from pathlib import Path

from tests.faults import bad_servers


async def test_servers_that_cannot_prove_who_they_are_hear_nothing(tmp_path: Path) -> None:
    heard = await bad_servers.speak(tmp_path)

    assert (heard.servers, heard.refused, heard.bytes_received) == (5, 5, 0)


async def test_control_who_takes_any_certificate_tells_them_everything(tmp_path: Path) -> None:
    assert (await bad_servers.speak(tmp_path, guard=False)).bytes_received > 0
