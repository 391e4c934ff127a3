"""What is delivered: documents of JSON and XML, and the one normal form of an uplink that is made of them."""
