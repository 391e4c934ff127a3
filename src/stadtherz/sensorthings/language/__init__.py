"""Text to trees: queries, filters and resource paths as they are written; no knowledge of the model."""
