"""What every page's frame needs: the person's organisation, role and the others they may switch to."""

from typing import Any

from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    return {}
