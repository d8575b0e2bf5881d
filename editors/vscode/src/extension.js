// Starts `tokenward lsp` and connects the editor to it. Nothing is sent anywhere else.
import { commands, window, workspace } from "vscode";
import { LanguageClient, TransportKind } from "vscode-languageclient/node";

let client;

function settings() {
  const own = workspace.getConfiguration("tokenward");
  const config = own.get("config", "");
  return {
    command: own.get("path", "tokenward") || "tokenward",
    args: config ? ["lsp", "--config", config] : ["lsp"],
  };
}

async function start() {
  const { command, args } = settings();
  const run = { command, args, transport: TransportKind.stdio };
  client = new LanguageClient("tokenward", "Tokenward", { run, debug: run }, {
    documentSelector: [
      { scheme: "file", language: "toml" },
      { scheme: "file", language: "tokenward-limits" },
    ],
  });
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    await window.showErrorMessage(
      `Cannot start \`${command} lsp\`: ${error}. Install tokenward, or set "tokenward.path".`,
    );
  }
}

async function stop() {
  const running = client;
  client = undefined;
  await running?.stop();
}

export async function activate(context) {
  context.subscriptions.push(
    commands.registerCommand("tokenward.restart", async () => {
      await stop();
      await start();
    }),
    workspace.onDidChangeConfiguration(async (change) => {
      if (change.affectsConfiguration("tokenward")) {
        await stop();
        await start();
      }
    }),
  );
  await start();
}

export function deactivate() {
  return stop();
}
