"""The command `stadtherz`: start, set up, and look after one city."""
