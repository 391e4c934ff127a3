"""Packets of MQTT 3.1.1 and 5.0 as bytes and as values, and the reasons that they give."""
