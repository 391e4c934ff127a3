"""What HTTP says of a request beside its address and its body: conditions, preferences, where it came from."""
