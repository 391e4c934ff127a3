"""The door of `simulate`; `set_up` is a module of its own, as it alone needs the database."""

from stadtherz.simulate.devices import FORMS, MOST, SimulatedCity, simulated_city
from stadtherz.simulate.doors import Door, HttpDoor
from stadtherz.simulate.mishaps import Chance, Mishap
from stadtherz.simulate.mqtt import MqttDoor
from stadtherz.simulate.player import CityClock, Player
from stadtherz.simulate.schedule import Note, Schedule, Sending
from stadtherz.simulate.tally import Tally

__all__ = [
    "FORMS",
    "MOST",
    "Chance",
    "CityClock",
    "Door",
    "HttpDoor",
    "Mishap",
    "MqttDoor",
    "Note",
    "Player",
    "Schedule",
    "Sending",
    "SimulatedCity",
    "Tally",
    "simulated_city",
]
