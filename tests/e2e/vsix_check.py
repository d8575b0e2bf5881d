"""Looks into the packed extension for VS Code.

usage: vsix_check.py DIRECTORY
"""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

directory = Path(sys.argv[1])
with zipfile.ZipFile(directory / "dist" / "tokenward.vsix") as packed:
    names = sorted(packed.namelist())
    expected = [
        "[Content_Types].xml",
        "extension.vsixmanifest",
        "extension/LICENSE.txt",
        "extension/dist/extension.js",
        "extension/language-configuration.json",
        "extension/package.json",
        "extension/readme.md",
        "extension/syntaxes/injection.tmLanguage.json",
        "extension/syntaxes/limits.tmLanguage.json",
    ]
    assert names == expected, names
    package = json.loads(packed.read("extension/package.json"))
    bundle = packed.read("extension/dist/extension.js").decode()
    for grammar in package["contributes"]["grammars"]:
        json.loads(packed.read("extension/" + grammar["path"].removeprefix("./")))
assert package["main"] == "./dist/extension.js", package["main"]
assert "dependencies" not in package, "everything is in the bundle"
# The bundle needs the editor and Node.js alone, and sends nothing.
required = set()
for part in bundle.split('require("')[1:]:
    required.add(part.split('"')[0])
required = {name.removeprefix("node:") for name in required}
listed = subprocess.run(["node", "-p", "require('module').builtinModules.join()"], capture_output=True, text=True, check=True)
allowed = {"vscode", *listed.stdout.strip().split(",")}
assert required <= allowed, required - allowed
assert not required & {"http", "https", "http2", "dgram", "tls", "dns"}, required
assert "TelemetryReporter" not in bundle
print(f"vsix: {len(names)} files, {len(bundle)} bytes of script")
