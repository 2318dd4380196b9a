"""Automations: UiPath's releases, which its portal calls processes, and their packages. docs: uipath.md 3.6 and 3.7"""

from .service import UiPathAutomations

__all__ = ["UiPathAutomations"]
