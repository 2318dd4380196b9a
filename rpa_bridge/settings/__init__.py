"""Settings: named connections in one JSON file, with references in place of secrets.

Nothing here imports an adapter or pydantic until a connection is opened or shown.
"""

from .documents import find_settings
from .flat import Conversion, MovedSecret, convert_flat
from .model import ConnectionSettings, Settings, load_settings

__all__ = [
    "ConnectionSettings",
    "Conversion",
    "MovedSecret",
    "Settings",
    "convert_flat",
    "find_settings",
    "load_settings",
]
