from django.urls import path

from datasets import form_pages, pages, task_pages

urlpatterns = [
    path("datasets/", pages.datasets, name="datasets"),
    path("datasets/new/", form_pages.new, name="dataset-new"),
    path("datasets/<int:pk>/", pages.dataset, name="dataset-page"),
    path("datasets/<int:pk>/edit/", form_pages.edit, name="dataset-edit"),
    path("analyses/<uuid:pk>/", task_pages.task, name="analysis-page"),
]
