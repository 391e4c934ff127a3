"""What one client may take of the server. Who needs more than this is no sensor and no map."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds."""

    packet: int = 1024 * 1024
    stranger_packet: int = 80 * 1024  # of who has shown no token, or not yet; a will fits into it
    topic: int = 2_000  # characters; a filter with options of a query may be long
    client_id: int = 200  # characters
    subscriptions: int = 5_000  # a map shows that many stations
    filters: int = 500  # distinct topics with $filter or $expand, of all clients together
    aliases: int = 64  # topic aliases in each direction

    incoming: int = 1_000  # messages that wait for their commit; then we stop reading
    outgoing: int = 100  # messages that wait for the client's acknowledgement
    waiting: int = 1_000  # messages behind those; more drop a client that is there
    replayed: int = 10_000  # readings looked at for a client that comes back

    connections: int = 20_000
    strangers: int = 5_000  # connections of one address that have shown no token, or not yet
    connect: float = 10.0  # until the first packet is whole
    stuck: float = 60.0  # until a client takes what was written
    session: int = 7 * 86_400  # that a session is kept for a client that has gone
    sessions: int = 100_000
