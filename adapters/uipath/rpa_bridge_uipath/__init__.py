"""rpa_bridge's adapter for UiPath Orchestrator: cloud, Automation Suite, and on-premises."""
