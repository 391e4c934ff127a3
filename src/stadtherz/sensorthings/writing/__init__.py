"""Bodies to changes of the store: creating, changing, linking and deleting, alone and in bulk."""
