"""`manage.py remind`: tell what is due by tomorrow or overdue, as the scheduler does every morning."""

from typing import Any

from django.core.management.base import BaseCommand

from portfolio import reminders


class Command(BaseCommand):
    help = "Remind everybody of requests and reviews that are due or overdue; nobody twice of the same date."

    def handle(self, *args: Any, **options: Any) -> None:
        people = reminders.remind()
        self.stdout.write("Nobody had to be reminded." if not people else f"{people} reminded.")
