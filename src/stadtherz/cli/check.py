"""`stadtherz check`: is this instance set up as it should be?"""

import click

from stadtherz.cli import instance
from stadtherz.cli.instance import instance_options


@click.command()
@instance_options
def check() -> None:
    """Look for mistakes in declarations, settings and the database; says what to do."""
    instance.load()
    from django.core.management import call_command
    from django.core.management.base import SystemCheckError

    try:
        call_command("check", verbosity=1)
    except SystemCheckError as problem:
        raise click.ClickException(str(problem)) from problem
