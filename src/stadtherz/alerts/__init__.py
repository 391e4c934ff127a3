"""From a state that changed to the people who must know: alerts, contacts, deliveries, mail."""
