"""Expression trees as the SQL text of one engine, with every user value as a parameter."""
