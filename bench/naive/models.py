from typing import ClassVar

from django.db import models


class Reading(models.Model):
    type = models.CharField(max_length=255)
    time = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True, db_index=True)
    payload = models.JSONField()

    objects: ClassVar[models.Manager["Reading"]] = models.Manager()

    class Meta:
        app_label = "naive"
        db_table = "naive_reading"

    def __str__(self) -> str:
        return f"{self.type} at {self.time}"
