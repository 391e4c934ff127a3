"""From the append log to whoever reacts to it: at least once, in order, with durable cursors."""
