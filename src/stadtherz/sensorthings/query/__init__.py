"""Trees and the model to a plan, and a plan to SQL: who sees which row, which readings, in which order."""
