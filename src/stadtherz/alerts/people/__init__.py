"""Who is told of an alert, by which address and when."""
