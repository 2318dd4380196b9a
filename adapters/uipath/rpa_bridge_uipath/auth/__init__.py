"""How to log in to UiPath, a file for each way, and how to sign a request."""
