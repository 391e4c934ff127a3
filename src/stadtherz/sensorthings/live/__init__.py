"""What changes, told as it happens: watched queries, and the topics of MQTT."""
