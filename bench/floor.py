"""The floor: Flask, one signature and one committed sqlite3 insert a request, and nothing a product needs."""

from __future__ import annotations

import os
import sqlite3
import threading

from flask import Flask, Response, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

SIGNER = URLSafeTimedSerializer("f" * 48, salt="floor")
app = Flask(__name__)
_local = threading.local()


@app.post("/v1/events")
def post_events() -> Response:
    """Check the token and insert the body, fsynced like the service's inbox."""
    document = request.get_json(force=True)
    try:
        SIGNER.loads(document["token"])
    except BadSignature:
        return Response(status=403)
    connection = getattr(_local, "connection", None)
    if connection is None:
        connection = _local.connection = sqlite3.connect(os.environ["FLOOR_FILE"], timeout=30, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS item (body BLOB)")
    connection.execute("INSERT INTO item VALUES (?)", (request.get_data(),))
    return Response(b'{"accepted":1}', 202, mimetype="application/json")
