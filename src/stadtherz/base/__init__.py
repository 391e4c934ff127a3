"""Values every ring may use: errors, time, geometry, units, visibility. Standard library only."""
