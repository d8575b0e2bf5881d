#!/usr/bin/env bash
# The language server with real clients: pytest-lsp with the capabilities of VS Code and Neovim, Neovim itself without a screen, and Neovim
# in a terminal, of which docs/editors.md shows a picture. Then the JSON Schemas, with check-jsonschema, and the extension for VS Code.
# Needs: python3, nvim, tmux, npm, a built tokenward; install.sh installs the rest.
source "$(dirname "$0")/lib.sh"
need python3 nvim tmux npm node
[ -x "$BIN" ] || die "there is no $BIN: build it with \`make build\`, or name one in TOKENWARD_BIN"
DIR=$OUT/lsp
PYTHON=$OUT/lsp-venv/bin/python
rm -rf "$DIR"
mkdir -p "$DIR"

# policy NAME: a fresh copy of the example policy.
policy() {
    mkdir -p "$DIR/$1"
    cp -r "$ROOT/policies" "$ROOT/tokenward.toml" "$DIR/$1"
}

echo "## pytest-lsp"
policy pytest
TOKENWARD_BIN=$BIN TOKENWARD_LSP_DIR=$DIR/pytest "$PYTHON" -m pytest -q -p no:cacheprovider "$E2E/lsp_client.py"

echo "## Neovim without a screen"
policy nvim
(cd "$DIR/nvim" && TOKENWARD_BIN=$BIN timeout 120 nvim --headless -u NONE -i NONE -n policies/ci.toml -c "luafile $E2E/lsp_nvim.lua" 2>&1) ||
    die "Neovim did not get what it asked for"

echo "## Neovim in a terminal"
policy screen
SOCKET=$DIR/tmux
(cd "$DIR/screen" && TOKENWARD_BIN=$BIN tmux -S "$SOCKET" -f /dev/null new-session -d -s lsp -x 100 -y 30 \
    "nvim -u NONE -i NONE -n policies/ci.toml -c 'luafile $E2E/lsp_screen.lua'")
screen() { tmux -S "$SOCKET" capture-pane -p -t lsp; }
await_screen() { # await_screen TEXT
    local end=$((SECONDS + 60))
    until screen | grep -qF "$1"; do
        ((SECONDS < end)) || { screen; tmux -S "$SOCKET" kill-server; die "the screen does not show: $1"; }
        sleep 0.1
    done
}
await_screen 'TW0506'
screen | sed 's/ *$//' >"$DIR/findings.txt"
tmux -S "$SOCKET" send-keys -t lsp K
await_screen 'Allows requests'
screen | sed 's/ *$//' >"$DIR/hover.txt"
tmux -S "$SOCKET" kill-server
cat "$DIR/findings.txt" "$DIR/hover.txt"

echo "## schemas"
"$PYTHON" "$E2E/schemas_check.py" "$ROOT" "$SHARED" "$DIR" "$BIN"

echo "## VS Code"
make -C "$ROOT" vscode >"$LOGS/vscode.log" 2>&1 || { tail -n 30 "$LOGS/vscode.log" >&2; die "make vscode failed"; }
"$PYTHON" "$E2E/vsix_check.py" "$ROOT/editors/vscode"
