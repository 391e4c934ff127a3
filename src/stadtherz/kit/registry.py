"""Which services are installed and switched on."""


def installed_service_apps() -> list[str]:
    return []
