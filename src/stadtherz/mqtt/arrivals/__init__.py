"""What clients publish: recognised if it comes again, kept in order, and answered when it is on disk."""
