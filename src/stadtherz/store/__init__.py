"""The tables of the data plane and the fast way in and out. `public` is the only door."""
