"""A guest book, as the documentation of Flask would write one: it knows nothing of Wakegate.

gunicorn app:app -b 127.0.0.1:8000
"""

import os
import time
from collections.abc import Iterator
from typing import NoReturn

from flask import Flask, abort, redirect, render_template, request, session, stream_with_context, url_for
from werkzeug.wrappers import Response

app = Flask(__name__)
app.secret_key = "only for tests"


@app.route("/")
def index() -> str:
    """Greet whoever is logged in."""
    session["visits"] = session.get("visits", 0) + 1
    return render_template("index.html", name=session.get("name"), visits=session["visits"], pid=os.getpid())


@app.route("/login", methods=["GET", "POST"])
def login() -> str | Response:
    """Take a name from a form."""
    if request.method == "POST":
        session["name"] = request.form["name"]
        return redirect(url_for("index"))
    return render_template("login.html")


@app.post("/upload")
def upload() -> dict[str, object]:
    """Say what came of a file."""
    file = request.files["file"]
    return {"name": file.filename, "length": len(file.read())}


@app.route("/lines")
def lines() -> Response:
    """Stream lines for as long as they take."""

    def generate() -> Iterator[str]:
        for number in range(int(request.args.get("n", "5"))):
            yield f"line {number} for {session.get('name')}\n"
            time.sleep(float(request.args.get("s", "0.1")))

    return app.response_class(stream_with_context(generate()), mimetype="text/plain")


@app.route("/where")
def where() -> dict[str, object]:
    """Say where the app thinks it is: what its links and redirects are made of."""
    return {"url": request.url, "external": url_for("index", _external=True), "remote": request.remote_addr}


@app.route("/secret")
def secret() -> NoReturn:
    """Refuse."""
    abort(403)


@app.errorhandler(404)
def not_found(error: Exception) -> tuple[str, int]:
    """Show a page of the app's own."""
    return render_template("404.html"), 404
