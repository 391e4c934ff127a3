"""How handing a message over may fail. What counts is whether the other side has it."""


class NotHandedOver(Exception):
    """The other side does not have the message. `permanent` if it will never take it."""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.permanent = permanent


class PerhapsHandedOver(Exception):
    """The message may have arrived, and no answer has come back."""
