"""The contract of `kit`, kept by every service that is switched on."""

from stadtherz.kit.registry import load, services
from stadtherz.kit.testing import Contract

for _service in services():
    _name = f"Test{_service.key.title()}"
    globals()[_name] = type(_name, (Contract,), {"service": _service, "__module__": __name__})


def test_every_declaration_can_be_read() -> None:
    assert load().problems == ()
