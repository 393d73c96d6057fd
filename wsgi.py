"""The application for any WSGI server: `gunicorn wsgi:app`, settings from the environment."""

from consent_service.app import create_app

app = create_app()
