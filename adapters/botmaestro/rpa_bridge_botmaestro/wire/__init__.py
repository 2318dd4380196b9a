"""BotMaestro's JSON under BotMaestro's names, a file for each noun."""
