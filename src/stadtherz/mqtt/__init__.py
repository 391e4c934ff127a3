"""The city's own MQTT door: devices publish, programs subscribe (MQTT 3.1.1 and 5.0)."""
