"""How a connection speaks HTTP: the part of its settings that every HTTP adapter shares, under "http"."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class HttpOptions(BaseModel):
    """Time-outs in seconds, sizes in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    ca_file: Path | None = None
    """Certificates (PEM) of the authority that signed the server's; None trusts what the machine trusts."""
    proxy: SecretStr | None = None
    """Address of an HTTP proxy, with its credentials if it wants some. Proxies of the environment are not used."""
    connect_timeout: float = Field(default=5.0, gt=0)
    first_byte_timeout: float = Field(default=20.0, gt=0)
    timeout: float = Field(default=30.0, gt=0)
    """For one attempt that can be repeated."""
    effect_timeout: float = Field(default=60.0, gt=0)
    """For one attempt that cannot be repeated: longer, so that fewer end without a known outcome."""
    max_body: int = Field(default=16 * 1024 * 1024, gt=0)
    rate: float | None = Field(default=None, gt=0)
    """Requests a second; None takes the adapter's own figure."""
    in_flight: int = Field(default=32, gt=0)
    """Requests under way at once."""
