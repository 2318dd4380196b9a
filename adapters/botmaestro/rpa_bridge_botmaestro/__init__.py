"""rpa_bridge's adapter for BotCity BotMaestro."""
