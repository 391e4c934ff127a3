"""Addresses of the base map; the same in every language, so outside the language prefixes."""

from django.urls import path

from stadtherz.geo import views

urlpatterns = [
    path("tiles/info.json", views.info, name="tiles-info"),
    path("tiles/<int:z>/<int:x>/<int:y>", views.tile, name="tile"),
]
