"""What a server loads: the pages on the workspace that KLIENTEL_WORKSPACE names."""

from __future__ import annotations

import os

from klientel.web import home

home.find(os.environ["KLIENTEL_WORKSPACE"])

from django.core.wsgi import get_wsgi_application  # noqa: E402 # not before Django knows the workspace

application = get_wsgi_application()
