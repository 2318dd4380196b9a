from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


@contextlib.contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A sandbox in a process of its own, and what its ready file says."""
    ready = folder / "ready.json"
    command = [sys.executable, "-m", "rpa_bridge", "sandbox", "serve", "uipath", "--ready-file", str(ready), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            until = time.monotonic() + 20
            while not ready.exists():
                assert process.poll() is None, process.communicate()[1]
                assert time.monotonic() < until, "it did not become ready"
                time.sleep(0.02)
            yield process, json.loads(ready.read_text())
        finally:
            process.kill()


@pytest.mark.shows_secrets("process", why="serve tells how to connect to the sandbox")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_it_serves_until_it_is_told_to_end_and_leaves_nothing_behind(
    tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    with serving(tmp_path) as (process, ready):
        address = urlsplit(ready["control"])
        assert address.hostname == "127.0.0.1"
        assert address.port is not None
        socket.create_connection((address.hostname, address.port), timeout=5).close()
        process.send_signal(sent)
        out, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert json.loads(out) == {"connections": ready["connections"]}
    assert err.startswith("THIS IS A SANDBOX of uipath: nothing here is real.")
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.shows_secrets("process", why="serve tells how to connect to the sandbox")
def test_jobs_advance_as_one_says(tmp_path: Path) -> None:
    from urllib.request import urlopen

    with serving(tmp_path, "--looks", "3", "--seconds", "1m") as (process, ready):
        with urlopen(ready["control"] + "lifecycle", timeout=5) as answer:  # noqa: S310 - our own, on loopback
            lifecycle = json.load(answer)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert (lifecycle["looks"], lifecycle["seconds"]) == (3, 60.0)


@pytest.mark.shows_secrets("process", why="serve tells how to connect to the sandbox")
def test_its_state_outlives_it_in_a_file(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with serving(tmp_path, "--state", str(state)) as (process, _):
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert "uipath" in json.loads(state.read_text())["faces"]


def test_a_port_in_use_is_named(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("sandbox", "serve", "uipath", "--port", str(port))
    assert result.code == 2
    assert f"port {port} of 127.0.0.1 cannot be had" in result.err
    assert result.out == ""


def test_an_unknown_vendor_is_met_with_what_is_installed(run: Run) -> None:
    result = run("sandbox", "serve", "uipaht")
    assert result.code == 1
    assert "Did you mean 'uipath'?" in result.err
