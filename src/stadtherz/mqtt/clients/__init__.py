"""One client: its connection and its limits, the session behind it, what it has sent and what it is owed."""
