-- The checks of the benchmark's policy, as nginx with Lua makes them: token, then forbid lines, then permit lines.
local cjson = require "cjson"

local M = {}

-- The lines of policy.py. KEY is the token's own project.
local LINES = {
    { method = "GET", path = "^/rest/api/2/(serverInfo|myself|field)$" },
    { method = "GET", path = "^/rest/api/2/project/KEY$" },
    { method = "GET", path = "^/rest/api/2/search$", parameter = "jql", value = "^project ?= ?KEY$" },
    { method = "GET", path = "^/rest/api/2/issue/KEY-[0-9]+$" },
    { method = "POST", path = "^/rest/api/2/issue/KEY-[0-9]+/attachments$" },
    { method = "GET", path = "^/rest/agile/1.0/board/KEY/issue$" },
    { method = "POST", path = "^/rest/api/2/issue/KEY-100/comment.*$" },
    { method = "POST", path = "^/rest/api/2/filter$", member = "editable", equals = false },
    { method = "PUT", path = "^/rest/api/2/issue/KEY-[0-9]+$", member = "summary", equals = "ci" },
    { forbid = true, path = "^/rest/api/2/issue/KEY-666$" },
}

local tokens = {}

local function lines_of(key)
    local forbid, permit = {}, {}
    for _, line in ipairs(LINES) do
        local own = {}
        for name, value in pairs(line) do
            own[name] = type(value) == "string" and value:gsub("KEY", key) or value
        end
        table.insert(line.forbid and forbid or permit, own)
    end
    return { key = key, forbid = forbid, permit = permit }
end

-- Each line of the file: SHA-1 of the secret in hexadecimal digits, a space, the project.
function M.load(file)
    for line in io.lines(file) do
        local hash, key = line:match("^(%x+) (%w+)$")
        tokens[hash] = lines_of(key)
    end
end

local function hex(bytes)
    return (bytes:gsub(".", function(byte) return string.format("%02x", byte:byte()) end))
end

local function find(text, pattern)
    return ngx.re.find(text, pattern, "jo")
end

local function body()
    ngx.req.read_body()
    local data = ngx.req.get_body_data()
    local read, document = pcall(cjson.decode, data)
    return read and document
end

local function allows(line, method, path)
    if line.method ~= method or not find(path, line.path) then
        return false
    end
    if line.parameter then
        local value = ngx.req.get_uri_args()[line.parameter]
        return type(value) == "string" and find(value, line.value) ~= nil
    end
    if line.member then
        local document = body()
        return type(document) == "table" and document[line.member] == line.equals
    end
    return true
end

function M.check()
    local header = ngx.var.http_authorization
    if not header or header:sub(1, 7) ~= "Bearer " then
        return ngx.exit(401)
    end
    local token = tokens[hex(ngx.sha1_bin(header:sub(8)))]
    if not token then
        return ngx.exit(401)
    end
    ngx.var.token = token.key
    local method, path = ngx.req.get_method(), ngx.var.uri
    for _, line in ipairs(token.forbid) do
        if find(path, line.path) then
            return ngx.exit(403)
        end
    end
    for _, line in ipairs(token.permit) do
        if allows(line, method, path) then
            return
        end
    end
    return ngx.exit(403)
end

return M
