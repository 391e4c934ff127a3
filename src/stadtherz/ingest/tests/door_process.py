"""The ingest door as its own process, for tests that kill it. Prints its port when it listens.

Arguments: the organisation whose token "town" is.
"""

import socket
import sys

import django


def main() -> None:
    django.setup()
    import uvicorn

    from stadtherz.base.visibility import Scope, Visibility
    from stadtherz.ingest.public import application

    town = Visibility(home=int(sys.argv[1]), scopes=frozenset({Scope.INGEST}))
    bound = socket.create_server(("127.0.0.1", 0))
    print(bound.getsockname()[1], flush=True)
    door = application(lambda scope: town, lambda scope: town)
    uvicorn.Server(uvicorn.Config(door, log_level="error", lifespan="off")).run(sockets=[bound])


if __name__ == "__main__":
    main()
