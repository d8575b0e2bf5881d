"""Where Django or Werkzeug files parameters: `python.py django|werkzeug`. Reads JSON strings, one a line; prints for each the paths
of its leaves."""
import json
import sys
import urllib.parse


def django():
    import django
    from django.conf import settings
    from django.http import QueryDict

    settings.configure(DATA_UPLOAD_MAX_NUMBER_FIELDS=None)
    print("django", django.__version__, file=sys.stderr)
    return lambda query: [[name] for name in QueryDict(query)]


def werkzeug():
    import importlib.metadata

    from werkzeug.wrappers import Request

    print("werkzeug", importlib.metadata.version("werkzeug"), file=sys.stderr)
    return lambda query: [[name] for name in Request({"QUERY_STRING": query, "wsgi.url_scheme": "http"}).args]


def main():
    paths = {"django": django, "werkzeug": werkzeug}[sys.argv[1]]()
    for line in sys.stdin:
        print(json.dumps(paths(urllib.parse.quote(json.loads(line), safe="") + "=1")))


main()
