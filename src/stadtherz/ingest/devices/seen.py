"""A sign of life of a device: what a delivery tells of its state beside the measurements."""

from dataclasses import dataclass

from stadtherz.base.time import Micros


@dataclass(frozen=True, slots=True)
class Seen:
    """One sign of life; None where it tells nothing. `own` is what the device's clock said."""

    device: int
    at: Micros
    f_cnt: int | None = None
    battery: float | None = None
    rssi: float | None = None
    snr: float | None = None
    event: str | None = None
    time: Micros | None = None  # when the network heard it
    own: Micros | None = None
    gateway: str = ""  # that heard it best

    @property
    def heard(self) -> Micros:
        """When the network heard it, as far as it told."""
        return self.at if self.time is None else self.time
