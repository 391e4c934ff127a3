"""What could not be used: kept with its reason, tried until its mistake is found, and run again."""
