"""Whether what was measured can be true, and what is said of it where it cannot or may not."""
