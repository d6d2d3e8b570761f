from django.urls import path

from bench.events import PATH
from bench.naive.views import Readings

urlpatterns = [path(PATH.removeprefix("/"), Readings.as_view())]
