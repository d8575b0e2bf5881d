"""Echoes how Flask (Werkzeug, over WSGI) reads a request: what a policy would have to have matched."""
import base64

from flask import Flask, jsonify, request

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
app = Flask(__name__, static_folder=None)
app.url_map.merge_slashes = False


@app.route("/", defaults={"path": ""}, methods=METHODS, provide_automatic_options=False)
@app.route("/<path:path>", methods=METHODS, provide_automatic_options=False)
def echo(path):
    raw = request.get_data(cache=True, parse_form_data=False)
    return jsonify(
        server="flask",
        method=request.method,
        path=request.path,
        query=list(request.args.items(multi=True)),
        nested=None,
        form=list(request.form.items(multi=True)),
        json=request.get_json(silent=True),
        body=base64.b64encode(raw).decode(),
        headers={name.lower(): value for name, value in request.headers.items()},
    )
