"""Jobs. docs: uipath.md 3.8 and 5.5"""

from .options import START_OPTIONS
from .service import UiPathJobs

__all__ = ["START_OPTIONS", "UiPathJobs"]
