"""From what a payload says to a number in the datastream's unit, or to a place."""
