"""Plans to answers: entities and readings found, expanded, aggregated, and written as JSON, CSV, GeoJSON."""
