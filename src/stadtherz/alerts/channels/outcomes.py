"""How handing a message over may fail. What counts is whether the other side has it."""


class NotHandedOver(Exception):
    """The other side does not have the message. `permanent` if it will never take it.

    `account` if it takes none of ours at all, such as with a wrong password or without credit.
    `unreached` if nobody answered at the other end. `alone` if it says nothing about other messages,
    though it may take this one later: a mailbox that is full, a stranger who is asked to come again.
    `wait` is how many seconds the other side wants to be left alone.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        account: bool = False,
        unreached: bool = False,
        alone: bool = False,
        wait: float = 0,
    ) -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.account = account
        self.unreached = unreached
        self.wait = wait
        self.alone = alone or (permanent and not account)


class Gone(NotHandedOver):
    """Whoever was to get it has asked not to be sent anything any more."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, permanent=True)


class PerhapsHandedOver(Exception):
    """The message may have arrived, and no answer has come back."""
