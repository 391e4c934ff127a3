"""The ways a message leaves the house; each speaks one protocol."""
