"""What MQTT needs to hear from Django."""

from django.apps import AppConfig


class MqttConfig(AppConfig):
    name = "stadtherz.mqtt"
    verbose_name = "MQTT"

    def ready(self) -> None:
        from stadtherz.mqtt.news import announcements

        announcements.follow_entities()
