"""How requests come in: HTTP, batches, data sets, messages, and questions from within the product."""
