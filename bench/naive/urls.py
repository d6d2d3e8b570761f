from django.urls import path

from bench.events import PATH
from bench.naive.views import Readings, empty

urlpatterns = [path(PATH.removeprefix("/"), Readings.as_view()), path("empty/", empty)]
