"""Connecting devices as a person does: step by step, many by a list, or one in another's place."""
