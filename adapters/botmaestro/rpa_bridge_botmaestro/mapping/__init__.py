"""Between BotMaestro's words and ours: pure functions and the tables of states, a file for each noun."""
