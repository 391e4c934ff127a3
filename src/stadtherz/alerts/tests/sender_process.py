"""Runs the product's sending thread in a process of its own until it is told to stop, or killed."""

import sys
import time

import django

django.setup()

from stadtherz.alerts.outbox import sender  # noqa: E402

sender.start_delivery()
print("ready", flush=True)
while not sys.stdin.closed and sys.stdin.readline() != "stop\n":
    time.sleep(0.05)
sender.stop_delivery()
