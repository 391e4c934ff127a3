"""What SensorThings addresses show to people: the entities of the city's data as readable pages."""
