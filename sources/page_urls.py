from django.urls import path

from sources import pages, record_pages, run_pages

urlpatterns = [
    path("sources/", pages.sources, name="sources"),
    path("sources/new/", pages.new, name="source-new"),
    path("sources/<int:pk>/", pages.source, name="source-page"),
    path("sources/<int:pk>/edit/", pages.edit, name="source-edit"),
    path("sources/<int:pk>/export/", pages.export, name="source-export"),
    path("sources/runs/<uuid:pk>/", run_pages.run, name="run-page"),
    path("records/", record_pages.records, name="records"),
]
