"""Runs the product's sending thread in a process of its own until it is told to stop, or killed."""

import sys
import time

import django

django.setup()

from stadtherz.alerts import deliveries, sender  # noqa: E402

deliveries.LEASE = 500_000  # so that a test need not wait for the real 10 seconds

sender.start_delivery()
print("ready", flush=True)
while not sys.stdin.closed and sys.stdin.readline() != "stop\n":
    time.sleep(0.05)
sender.stop_delivery()
