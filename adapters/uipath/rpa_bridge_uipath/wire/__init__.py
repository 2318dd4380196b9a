"""UiPath's JSON under UiPath's names, a file for each noun."""
