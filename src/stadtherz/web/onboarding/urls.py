"""Addresses of the wizard that connects devices, below those of the devices."""

from typing import Any

from django.urls import URLPattern, path

from stadtherz.web.onboarding import message, start, steps


def urls_of(views: Any) -> list[URLPattern]:
    """The addresses of the wizard below those of the devices."""
    made = {name: views.construct_view(view) for name, view in _VIEWS.items()}
    below = "connect/<int:draft>/"
    return [
        path("connect/", made["start"], name="connect"),
        path("connect/refused/<int:refused>/", made["refused"], name="connect_refused"),
        path(f"{below}message/", made["message"], name="connect_message"),
        path(f"{below}device/", made["device"], name="connect_device"),
        path(f"{below}place/", made["place"], name="connect_place"),
        path(f"{below}values/", made["values"], name="connect_values"),
        path(f"{below}test/", made["test"], name="connect_test"),
        path(f"{below}waits/", made["waits"], name="connect_waits"),
        path(f"{below}done/", made["done"], name="connect_done"),
        path(f"{below}discard/", made["discard"], name="connect_discard"),
    ]


_VIEWS: dict[str, Any] = {
    "start": start.StartView,
    "refused": start.FromRefusedView,
    "message": message.MessageStep,
    "device": steps.DeviceStep,
    "place": steps.PlaceStep,
    "values": steps.ValuesStep,
    "test": steps.TryStep,
    "waits": steps.WaitsView,
    "done": steps.DoneStep,
    "discard": steps.DiscardView,
}
