"""Water levels: what stands in streams, rivers and the ground, and a warning before it is too late.

For: residents along a stream, the fire brigade, the building yard and the water authority.
Data: levels above a gauge's zero point (DIN 4049-3) and groundwater depths, reported by sensors of
the municipality over LoRaWAN or taken over from a state's gauges.
A municipality's gauge informs; the official flood warning stays with the state's flood warning
service (in Germany § 79 Absatz 2 WHG and the flood reporting rules of the states).
"""
