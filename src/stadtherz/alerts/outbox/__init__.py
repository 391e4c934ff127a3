"""What is owed to whom, how far each message has come, and the thread that sends it."""
