"""People, how to reach them, and who is on duty."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, validate_email
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel

from stadtherz.alerts.channels import places
from stadtherz.alerts.channels.vault import new_webhook_secret, sealed
from stadtherz.alerts.people.phones import e164
from stadtherz.base.errors import Invalid
from stadtherz.kit.declaration import Severity

LANGUAGES = [("de", "Deutsch"), ("en", "English")]
LEAST = [
    (Severity.INFO.value, _("everything")),
    (Severity.WARNING.value, _("warnings and danger")),
    (Severity.DANGER.value, _("danger only")),
]


class Channel(models.TextChoices):
    """How a message travels."""

    EMAIL = "email", _("E-mail")
    SMS = "sms", _("SMS")
    PUSH = "push", _("Push message")
    WEBHOOK = "webhook", _("Webhook")
    MQTT = "mqtt", _("MQTT")
    TASK = "task", _("Task (voice, siren)")


class Contact(ClusterableModel, models.Model):
    """A person who wants to be told."""

    owner = models.ForeignKey(
        "store.Organisation", models.CASCADE, related_name="+", verbose_name=_("organisation")
    )
    name = models.CharField(_("name"), max_length=200)
    language = models.CharField(_("language"), max_length=5, choices=LANGUAGES, default="de")
    active = models.BooleanField(
        _("active"), default=True, help_text=_("Without this mark the person gets no messages.")
    )
    quiet_from = models.TimeField(
        _("quiet from"),
        null=True,
        blank=True,
        help_text=_("Messages that may wait are sent when the quiet hours are over."),
    )
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    wakes = models.CharField(
        _("comes through in quiet hours"),
        max_length=10,
        choices=LEAST[1:],
        default=Severity.DANGER.value,
    )
    changed_at = models.DateTimeField(_("last changed"), auto_now=True)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if (self.quiet_from is None) != (self.quiet_until is None):
            empty = "quiet_from" if self.quiet_from is None else "quiet_until"
            raise ValidationError({empty: _("Quiet hours need a beginning and an end.")})


class Address(models.Model):
    """One way to reach a person, in the order of `sort_order`.

    `instead` addresses are used when a message to the one before them has failed; the others are all
    used at once. `details` are the keys by which a device reads what is pushed to it, and `secret` is what
    signs for a webhook, sealed.
    """

    class Use(models.TextChoices):
        ALWAYS = "always", _("always")
        INSTEAD = "instead", _("if the one before it fails")

    contact = ParentalKey(
        Contact, on_delete=models.CASCADE, related_name="addresses", verbose_name=_("contact")
    )
    channel = models.CharField(
        _("channel"), max_length=10, choices=Channel.choices, default=Channel.EMAIL
    )
    address = models.CharField(
        _("address"),
        max_length=1000,
        help_text=_(
            "E-mail: an address. SMS: a telephone number such as +49 151 23456789. Webhook: an address that "
            "begins with https://. MQTT: a topic such as town/alarms. Task: the number or the name of a "
            "tasking capability. Push messages: the device enters itself."
        ),
    )
    use = models.CharField(_("used"), max_length=10, choices=Use.choices, default=Use.ALWAYS)
    least = models.CharField(_("for"), max_length=10, choices=LEAST, default=Severity.INFO.value)
    details = models.JSONField(default=dict, blank=True, editable=False)
    secret = models.TextField(blank=True, editable=False)
    sort_order = models.PositiveSmallIntegerField(default=0, editable=False)

    sort_order_field = "sort_order"

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        ordering = ["sort_order", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "channel", "address"], name="alerts_address_once"
            )
        ]
        indexes = [models.Index(fields=["channel", "address"], name="alerts_address_known")]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.shown}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.channel == Channel.WEBHOOK and not self.secret:  # what is sent is always signed
            self.secret = sealed(new_webhook_secret())
        super().save(*args, **kwargs)

    @property
    def shown(self) -> str:
        """The address for people: of a device its name, since nobody can read what its maker gave it."""
        if self.channel == Channel.PUSH:
            return str(self.details.get("device") or "–")
        return self.address

    def clean(self) -> None:
        """What the channel can reach; a telephone number is kept in the form all the world knows."""
        if self.channel == Channel.EMAIL:
            self.address = self.address.strip()
            try:
                validate_email(self.address)
            except ValidationError as wrong:
                told = _("This is no e-mail address such as name@city.example.")
                raise ValidationError({"address": told}) from wrong
        elif self.channel == Channel.SMS:
            number = e164(self.address)
            if number is None:
                told = _("This is no telephone number such as +49 151 23456789.")
                raise ValidationError({"address": told})
            self.address = number
        elif self.channel == Channel.PUSH:
            self._check_device()
        else:
            self._check_place()

    def _check_device(self) -> None:
        """A device enters itself: nobody else has its keys."""
        known = type(self).objects.filter(pk=self.pk, channel=Channel.PUSH, address=self.address)
        if not self.details or not known.exists():
            told = _(
                "A device enters itself: open this contact’s page and give its link for devices to the person."
            )
            raise ValidationError({"channel": told})

    def _check_place(self) -> None:
        """Where machines are told; each complaint says what would be right."""
        self.address = self.address.strip()
        try:
            if self.channel == Channel.WEBHOOK:
                places.check_url(self.address)
            elif self.channel == Channel.MQTT:
                places.check_topic(self.address)
        except Invalid as problem:
            raise ValidationError({"address": _PLACES[problem.reason]}) from problem
        if hasattr(self, "contact"):  # in a form it is not known yet, see `check_owner`
            self.check_owner(self.contact.owner_id)

    def check_owner(self, owner: int) -> None:
        """Raise ValidationError if this organisation's contact cannot have the address."""
        if self.channel != Channel.TASK:
            return
        try:
            places.check_capability(self.address.strip(), owner)
        except Invalid as problem:
            raise ValidationError({"address": _PLACES[problem.reason]}) from problem


_PLACES = {
    places.NO_URL: _("This is no address such as https://control.city.example/alarms."),
    places.PLAIN: _("It must begin with https://, or everybody on the way can read along."),
    places.INSIDE: _(
        "It leads into a private network. The operator can allow that (STADTHERZ_CALL_PRIVATE)."
    ),
    places.NO_TOPIC: _(
        "This is no topic such as town/alarms; + # and a $ at the beginning are not possible."
    ),
    places.NO_CAPABILITY: _(
        "There is no tasking capability of this number or name in the contact’s organisation."
    ),
}


class Roster(ClusterableModel, models.Model):
    """People who take turns. Shifts that were swapped go before the turns."""

    owner = models.ForeignKey(
        "store.Organisation", models.CASCADE, related_name="+", verbose_name=_("organisation")
    )
    name = models.CharField(_("name"), max_length=200)
    turn_days = models.PositiveSmallIntegerField(
        _("days of a turn"), default=7, validators=[MinValueValidator(1)]
    )
    first_day = models.DateField(
        _("first day"), null=True, blank=True, help_text=_("When the first person's turn begins.")
    )
    hand_over = models.TimeField(
        _("hand-over"),
        default="08:00",
        help_text=_("The hour at which the next person takes over."),
    )
    announce = models.BooleanField(
        _("tell the next person"),
        default=True,
        help_text=_("At the hand-over the next person is told of the alerts that are open."),
    )
    last_on_duty = models.ForeignKey(
        Contact, models.SET_NULL, null=True, editable=False, related_name="+"
    )  # whom the clock has seen on duty last

    class Meta:
        verbose_name = _("duty roster")
        verbose_name_plural = _("duty rosters")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class RosterMember(models.Model):
    """A person's place among those who take turns."""

    roster = ParentalKey(Roster, on_delete=models.CASCADE, related_name="members")
    contact = models.ForeignKey(
        Contact, models.CASCADE, related_name="+", verbose_name=_("contact")
    )
    sort_order = models.PositiveSmallIntegerField(default=0, editable=False)

    sort_order_field = "sort_order"

    class Meta:
        verbose_name = _("person on the roster")
        verbose_name_plural = _("people on the roster")
        ordering = ["sort_order", "pk"]

    def __str__(self) -> str:
        return str(self.contact)


class Shift(models.Model):
    """A time for which somebody else is on duty than the turns say."""

    roster = ParentalKey(Roster, on_delete=models.CASCADE, related_name="shifts")
    contact = models.ForeignKey(
        Contact, models.CASCADE, related_name="+", verbose_name=_("contact")
    )
    starts = models.DateTimeField(_("from"))
    ends = models.DateTimeField(_("until"))

    class Meta:
        verbose_name = _("shift")
        verbose_name_plural = _("shifts")
        ordering = ["starts"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends__gt=models.F("starts")), name="alerts_shift_ends"
            )
        ]

    def __str__(self) -> str:
        return f"{self.contact} {self.starts:%d.%m. %H:%M}"

    def clean(self) -> None:
        if self.starts and self.ends and self.ends <= self.starts:
            raise ValidationError({"ends": _("The end must be after the beginning.")})


class ContactList(models.Model):
    """The people who are told together, and what happens when none of them answers."""

    owner = models.ForeignKey(
        "store.Organisation", models.CASCADE, related_name="+", verbose_name=_("organisation")
    )
    name = models.CharField(_("name"), max_length=200)
    contacts = models.ManyToManyField(
        Contact, related_name="lists", blank=True, verbose_name=_("contacts")
    )
    rosters = models.ManyToManyField(
        Roster,
        related_name="lists",
        blank=True,
        verbose_name=_("duty rosters"),
        help_text=_("Of each roster the person who is on duty is told."),
    )
    remind_minutes = models.PositiveSmallIntegerField(
        _("remind after minutes"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Again and again until somebody acknowledges. Empty: never."),
    )
    escalate_minutes = models.PositiveSmallIntegerField(
        _("tell others after minutes"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("If nobody has acknowledged by then, the list below is told, too."),
    )
    escalate_to = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("list to be told then"),
    )
    drills = models.BooleanField(
        _("monthly test alarm"),
        default=True,
        help_text=_("Remind staff when the last test alarm of this list is a month ago."),
    )
    drill_asked_at = models.BigIntegerField(null=True, editable=False)  # when staff were reminded

    class Meta:
        verbose_name = _("contact list")
        verbose_name_plural = _("contact lists")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """The next list and the time until it is told belong together."""
        if self.escalate_to_id is not None and self.escalate_to_id == self.pk:
            raise ValidationError({"escalate_to": _("A list cannot follow itself.")})
        if self.escalate_to_id is not None and self.escalate_minutes is None:
            raise ValidationError({"escalate_minutes": _("After how many minutes?")})
        if self.escalate_to_id is None and self.escalate_minutes is not None:
            raise ValidationError({"escalate_to": _("Which list is to be told then?")})
