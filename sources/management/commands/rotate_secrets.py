"""Encrypt the secrets of all sources anew, after a new key was put first."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sources.secrets import rotate


class Command(BaseCommand):
    help = "Encrypts the secrets of all sources with the first key; older keys can then be removed."

    def handle(self, *args: Any, **options: Any) -> None:
        rotated, unreadable = rotate()
        self.stdout.write(f"{rotated} secrets are encrypted with the first key.")
        if unreadable:
            raise CommandError(
                f"{len(unreadable)} could not be decrypted, since their key is gone: {', '.join(unreadable)}."
                " Put that key back behind the others and repeat this, or set these secrets again."
            )
