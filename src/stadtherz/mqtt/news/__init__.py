"""What is new in the city, put into words once for all who have subscribed to the same."""
