-- Drives `tokenward lsp` with Neovim's own client, and ends with status 1 if anything is not as it should be.
local function fail(what)
  io.stderr:write("nvim: " .. what .. "\n")
  vim.cmd("cquit 1")
end

local function await(what, condition)
  if not vim.wait(60000, condition, 20) then
    fail("waited in vain: " .. what)
  end
end

local root = vim.fn.getcwd()
local client = vim.lsp.start_client({ name = "tokenward", cmd = { os.getenv("TOKENWARD_BIN"), "lsp" }, root_dir = root })
if not client then
  fail("the server does not start")
end
vim.lsp.buf_attach_client(0, client)
await("the handshake", function()
  local found = vim.lsp.get_client_by_id(client)
  return found and found.server_capabilities and found.server_capabilities.hoverProvider
end)

-- A finding while typing, with an astral character before it.
local line = vim.fn.search([[KANBAN-\\d+$]])
local text = vim.fn.getline(line)
local function codes()
  return vim.tbl_map(function(found) return found.code or found.user_data.lsp.code end, vim.diagnostic.get(0))
end
vim.api.nvim_buf_set_lines(0, line - 1, line, true, { text .. "💡[" })
await("an error", function() return vim.tbl_contains(codes(), "TW0013") end)
vim.api.nvim_buf_set_lines(0, line - 1, line, true, { text })
await("no finding", function() return #vim.diagnostic.get(0) == 0 end)

-- The explanation of the line.
vim.fn.cursor(line, 10)
local function ask(method, params)
  local answers = vim.lsp.buf_request_sync(0, method, params or vim.lsp.util.make_position_params(), 60000)
  local answer = answers and answers[client]
  if not answer or answer.err then
    fail(method .. ": " .. vim.inspect(answers))
  end
  return answer.result
end
local hover = ask("textDocument/hover")
if not hover or not hover.contents.value:find("the method is GET", 1, true) then
  fail("hover: " .. vim.inspect(hover))
end

-- The set of an include.
vim.cmd("edit policies/people.toml")
vim.lsp.buf_attach_client(0, client)
vim.fn.cursor(1, 1)
vim.fn.search("jira-read\"]")
local places = ask("textDocument/definition")
if not places or not places[1].uri:find("/policies/jira-read.limits", 1, true) then
  fail("definition: " .. vim.inspect(places))
end

-- Completion of a key.
vim.api.nvim_buf_set_lines(0, -1, -1, true, { "[[token]]", "desc" })
vim.fn.cursor(vim.fn.line("$"), 4)
local params = vim.lsp.util.make_position_params()
params.position.character = 4
local items = ask("textDocument/completion", params)
local labels = vim.tbl_map(function(item) return item.label end, items.items or items)
if not vim.tbl_contains(labels, "description") then
  fail("completion: " .. vim.inspect(labels))
end
vim.lsp.stop_client(client)
await("the end of the server", function() return vim.lsp.client_is_stopped(client) end)
print("nvim: findings, hover, definition and completion are right")
vim.cmd("qall!")
