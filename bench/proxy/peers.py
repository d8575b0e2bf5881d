"""The servers that are compared: their configurations, made of the files in peers/, and their start."""
import hashlib
import json
import os
import pathlib

import policy
import processes

TEMPLATES = pathlib.Path(__file__).resolve().parent / "peers"
ANSWER = json.dumps({"key": "KANBAN-100", "fields": {"summary": "x" * 900}})
LUA = """lua_package_path "{here}/?.lua;{tools}/usr/share/lua/5.1/?.lua;;";
    lua_package_cpath "{tools}/usr/lib/x86_64-linux-gnu/lua/5.1/?.so;{tools}/usr/lib/aarch64-linux-gnu/lua/5.1/?.so;;";
    lua_regex_cache_max_entries 200000;
    init_by_lua_block {{ check = require "check"; check.load("{here}/tokens") }}
    log_format calls '$remote_addr [$time_local] $token "$request" $status $body_bytes_sent $request_time';"""

# Name: what it does with a request.
PEERS = {
    "tokenward": "Tokenward: Bearer, all checks, durable audit",
    "tokenward-buffered": "Tokenward, with a buffered audit",
    "nginx": "nginx, a plain reverse proxy",
    "nginx-lua": "nginx with Lua: the same checks (cjson), an access log",
    "modsecurity": "nginx with ModSecurity 3: known secrets, and the JSON member",
    "haproxy": "HAProxy, a plain reverse proxy",
    "envoy": "Envoy with its RBAC filter: token, method and path",
    "actix": "bare forwarder on actix-web and awc, no checks",
    "hyper": "bare forwarder on hyper, no checks",
    "direct": "the upstream itself",
}


class Server:
    """A started server."""

    def __init__(self, process, port):
        self.process, self.port = process, port

    def cpu(self):
        """CPU seconds of all its threads and processes until now."""
        return processes.cpu_seconds(self.process.pid)

    def stop(self):
        """Ends it."""
        processes.stop(self.process)


class Bench:
    """What all servers share: tools, directories, upstream, policy, certificate."""

    def __init__(self, tools, directory, binary, forwarders, certificate, tokens, ports):
        self.tools, self.directory, self.binary, self.forwarders = tools, directory, binary, forwarders
        self.certificate, self.tokens, self.ports = certificate, tokens, ports
        self.policies = directory / "policies"
        policy.write(self.policies, tokens)
        (directory / "logs").mkdir()
        self.upstream = None

    def start_upstream(self, cores):
        """Starts the upstream on the given processors; one that already runs is ended."""
        if self.upstream:
            self.upstream.stop()
        port = self.upstream.port if self.upstream else self.ports(1)[0]
        here = self.place("upstream")
        (here / "large.bin").write_bytes(bytes(1_000_000))
        config = self.fill("upstream.conf", here, PORT=port, WORKERS=2, ANSWER=ANSWER, LENGTH=len(ANSWER))
        self.upstream = self.run("upstream", ["nginx", "-p", here, "-e", here / "error.log", "-c", config], port, cores)

    def start(self, name, workers, cores, tls=False):
        """Starts a server with so many workers on the given processors."""
        if name == "direct":
            return self.upstream
        port = self.ports(1)[0]
        here = self.place(f"{name}-{workers}{'-tls' if tls else ''}")
        command = getattr(self, "_" + name.replace("-", "_"))(here, port, workers, tls)
        return self.run(here.name, command, port, cores)

    def place(self, name):
        """A directory for a server."""
        here = self.directory / name
        here.mkdir(exist_ok=True)
        return here

    def fill(self, template, here, **values):
        """Writes a template with its values into the directory, and returns the file."""
        text = (TEMPLATES / template).read_text()
        values |= {"DIR": here, "TOOLS": self.tools.root, "USER": "user root;" if os.geteuid() == 0 else ""}
        if self.upstream:
            values["UPSTREAM"] = self.upstream.port
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        file = here / template
        file.write_text(text)
        return file

    def run(self, name, command, port, cores):
        """Starts a command and waits for its port."""
        program = [self.tools.find(command[0]), *command[1:]]
        log = self.directory / "logs" / f"{name}.log"
        process = processes.start(name, program, log, cores, self.tools.environment)
        processes.await_port(process, port, 300)
        return Server(process, port)

    def tokenward(self, here, port, workers, tls=False, durability="durable", policies=None):
        """Writes Tokenward's configuration, and returns the command."""
        section = ""
        if tls:
            section = f'[server.tls]\ncertificate = "{self.certificate}/cert.pem"\nkey = "{self.certificate}/key.pem"'
        file = self.fill("tokenward.toml", here, PORT=port, WORKERS=workers, ADMIN=self.ports(1)[0], TLS=section,
                         SCHEME="https" if tls else "http", DURABILITY=durability, POLICIES=policies or self.policies)
        return [self.binary, "serve", "--config", file]

    def _tokenward(self, here, port, workers, tls):
        return self.tokenward(here, port, workers, tls)

    def _tokenward_buffered(self, here, port, workers, tls):
        return self.tokenward(here, port, workers, tls, "buffered")

    def _nginx(self, here, port, workers, tls, main="", http="", location=""):
        listen = ""
        if tls:
            listen = " ssl http2"
            http += (f"ssl_certificate {self.certificate}/cert.pem; ssl_certificate_key {self.certificate}/key.pem; "
                     "ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:tls:10m;")
        file = self.fill("nginx.conf", here, PORT=port, WORKERS=workers, TLS=listen, MAIN=main, HTTP=http, LOCATION=location)
        return ["nginx", "-p", here, "-e", here / "error.log", "-c", file]

    def _module(self, name):
        return f"load_module {self.tools.root}/usr/lib/nginx/modules/{name}.so;"

    def _nginx_lua(self, here, port, workers, tls):
        self.fill("check.lua", here)
        with open(here / "tokens", "w", encoding="ascii") as file:
            for number in range(self.tokens):
                file.write(f"{hashlib.sha1(policy.secret(number).encode()).hexdigest()} {policy.key(number)}\n")
        location = f'set $token ""; access_by_lua_block {{ check.check() }} access_log {here}/access.log calls;'
        return self._nginx(here, port, workers, tls, self._module("ndk_http_module") + self._module("ngx_http_lua_module"),
                           LUA.format(here=here, tools=self.tools.root), location)

    def _modsecurity(self, here, port, workers, tls):
        (here / "secrets.txt").write_text("".join(policy.secret(number) + "\n" for number in range(self.tokens)))
        rules = self.fill("modsecurity.conf", here)
        location = f"modsecurity on; modsecurity_rules_file {rules};"
        return self._nginx(here, port, workers, tls, self._module("ngx_http_modsecurity_module"), "", location)

    def _haproxy(self, here, port, workers, tls):
        listen = f" ssl crt {self.certificate}/both.pem alpn h2,http/1.1" if tls else ""
        return ["haproxy", "-db", "-f", self.fill("haproxy.cfg", here, PORT=port, WORKERS=workers, TLS=listen)]

    def _envoy(self, here, port, workers, tls):
        file = here / "envoy.json"
        file.write_text(json.dumps(envoy(port, self.upstream.port, self.tokens, self.certificate if tls else None)))
        return ["envoy", "--config-path", file, "--concurrency", workers, "--disable-hot-restart", "--log-level", "warning"]

    def _forwarder(self, name, port, workers, tls):
        files = [self.certificate / "cert.pem", self.certificate / "key.pem"] if tls else []
        return [self.forwarders / f"{name}-forwarder", port, self.upstream.port, workers, *files]

    def _actix(self, _here, port, workers, tls):
        return self._forwarder("actix", port, workers, tls)

    def _hyper(self, _here, port, workers, tls):
        return self._forwarder("hyper", port, workers, tls)


def typed(name, /, **fields):
    """A typed message of Envoy's configuration."""
    return {"@type": f"type.googleapis.com/{name}", **fields}


def envoy(port, upstream, tokens, certificate):
    """Envoy's configuration: one branch of its RBAC matcher for each token, found by the header as a whole."""
    def header(name):
        return {"name": name, "typed_config": typed("envoy.type.matcher.v3.HttpRequestHeaderMatchInput", header_name=name)}

    def action(name):
        return {"action": {"name": name, "typed_config": typed("envoy.config.rbac.v3.Action", name=name, action=name)}}

    def single(name, **match):
        return {"single_predicate": {"input": header(name), "value_match": match}}

    def line(method, **path):
        return {"and_matcher": {"predicate": [single(":method", exact=method), single(":path", **path)]}}

    def pattern(text):
        return {"google_re2": {}, "regex": text}

    def permits(key):
        api = "/rest/api/2"
        return [line("GET", safe_regex=pattern(f"{api}/(serverInfo|myself|field)")),
                line("GET", exact=f"{api}/project/{key}"),
                line("GET", safe_regex=pattern(rf"{api}/search\?jql=project(%20)?=(%20)?{key}")),
                line("GET", safe_regex=pattern(f"{api}/issue/{key}-[0-9]+")),
                line("POST", safe_regex=pattern(f"{api}/issue/{key}-[0-9]+/attachments")),
                line("GET", exact=f"/rest/agile/1.0/board/{key}/issue"),
                line("POST", prefix=f"{api}/issue/{key}-100/comment"),
                line("POST", exact=f"{api}/filter"),
                line("PUT", safe_regex=pattern(f"{api}/issue/{key}-[0-9]+"))]

    def branch(number):
        key = policy.key(number)
        forbid = {"predicate": single(":path", exact=f"/rest/api/2/issue/{key}-666"), "on_match": action("DENY")}
        permit = {"predicate": {"or_matcher": {"predicate": permits(key)}}, "on_match": action("ALLOW")}
        return {"matcher": {"matcher_list": {"matchers": [forbid, permit]}}}

    matcher = {"matcher_tree": {"input": header("authorization"),
                                "exact_match_map": {"map": {f"Bearer {policy.secret(n)}": branch(n) for n in range(tokens)}}},
               "on_no_match": action("DENY")}
    http = "envoy.extensions.filters.http"
    manager = typed(
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", stat_prefix="in",
        generate_request_id=False,
        http_filters=[{"name": "rbac", "typed_config": typed(f"{http}.rbac.v3.RBAC", matcher=matcher)},
                      {"name": "router", "typed_config": typed(f"{http}.router.v3.Router")}],
        route_config={"virtual_hosts": [{
            "name": "api", "domains": ["*"], "request_headers_to_remove": ["authorization"],
            "request_headers_to_add": [{"header": {"key": "x-forwarded-user", "value": "svc"}}],
            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "api"}}]}]})
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    if certificate:
        files = {"certificate_chain": {"filename": f"{certificate}/cert.pem"}, "private_key": {"filename": f"{certificate}/key.pem"}}
        chain["transport_socket"] = {"name": "tls", "typed_config": typed(
            "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            common_tls_context={"tls_certificates": [files], "alpn_protocols": ["h2", "http/1.1"]})}

    def address(number):
        return {"socket_address": {"address": "127.0.0.1", "port_value": number}}

    endpoint = {"lb_endpoints": [{"endpoint": {"address": address(upstream)}}]}
    return {"static_resources": {
        "listeners": [{"name": "in", "address": address(port), "filter_chains": [chain]}],
        "clusters": [{"name": "api", "type": "STATIC", "load_assignment": {"cluster_name": "api", "endpoints": [endpoint]}}]}}
