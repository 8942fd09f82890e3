"""The HTTP door for WSGI servers; sockets need ``asgi``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sensequant.settings")
application = get_wsgi_application()
