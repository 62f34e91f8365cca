"""What happened here, for apps that this one does not know."""

from django.dispatch import Signal

# Somebody became a member: `membership`, and the `invitation` they accepted. Sent inside the act's transaction.
joined = Signal()
