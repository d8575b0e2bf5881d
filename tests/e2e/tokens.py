#!/usr/bin/env python3
"""Token files for a set of policies: one token a policy, user `svc` unless said otherwise, fresh secrets.

    tokens.py POLICIES.json DIRECTORY TOKENS.json [--user NAME]

POLICIES.json holds {"key": {"limits": ["line", ...], "ip_limit": ["network", ...], "keys": ["mint = true", ...], "user": "name",
"any_user": false}}, of which "limits" is needed. Writes DIRECTORY/<key>.toml for the
proxy, with the secret's hash alone, and TOKENS.json, {"key": "secret"}, for the client side.
"""
import argparse
import hashlib
import json
import pathlib
import secrets


def entry(name, user, secret, policy):
    lines = "".join(line + "\n" for line in policy["limits"])
    if "'''" in lines:
        raise SystemExit(f"policy {name}: a line holds three apostrophes")
    whose = "any_user = true" if policy.get("any_user") else f'user = "{policy.get("user", user)}"'
    text = f'[[token]]\nname = "{name}"\n{whose}\n'
    text += f'secret_hash = "sha256:{hashlib.sha256(secret.encode()).hexdigest()}"\n'
    if policy.get("ip_limit"):
        text += f"allowed_ips = {json.dumps(policy['ip_limit'])}\n"
    text += "".join(key + "\n" for key in policy.get("keys", []))
    return text + f"limit_to = '''\n{lines}'''\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("policies", type=pathlib.Path)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("tokens", type=pathlib.Path)
    parser.add_argument("--user", default="svc")
    a = parser.parse_args()
    a.directory.mkdir(parents=True, exist_ok=True)
    tokens = {}
    for name, policy in json.loads(a.policies.read_text()).items():
        tokens[name] = secrets.token_hex(20)
        (a.directory / f"{name}.toml").write_text(entry(name, a.user, tokens[name], policy))
    a.tokens.write_text(json.dumps(tokens, indent=1) + "\n")


if __name__ == "__main__":
    main()
