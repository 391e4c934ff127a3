"""What the verbs about gateways have in common, whatever they carry."""

from typing import TYPE_CHECKING

import click

from stadtherz.base.errors import StadtherzError

if TYPE_CHECKING:
    from stadtherz.alerts.public import Gateway


def state(row: "Gateway") -> str:
    """How a gateway does."""
    return f"failing: {row.last_error}" if row.failing_since else "fine"


def send_test(name: str, what: str, to: str) -> str:
    """Send one test message by this gateway, called `what` there; its id. The command ends if it fails."""
    from django.conf import settings

    from stadtherz.alerts.public import try_gateway

    try:
        return try_gateway(name, to, f"Test of the {what} {name}: {settings.STADTHERZ['city']}")
    except StadtherzError as problem:
        raise click.ClickException(str(problem)) from problem
