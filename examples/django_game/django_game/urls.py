"""The addresses."""

from django.urls import path

from arena import views

urlpatterns = [
    path("players/<int:player>", views.read_player),
    path("ladder", views.list_ladder),
    path("matches", views.report_match),
]
