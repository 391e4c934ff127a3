"""The clients of brokers as a process of their own, for tests that kill it. Prints a line when it runs."""

import threading

import django


def main() -> None:
    django.setup()
    from stadtherz.ingest.public import start_connections

    start_connections()
    print("runs", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
