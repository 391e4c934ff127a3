"""From a delivered document to readings that the store is handed."""
