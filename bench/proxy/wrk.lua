-- Sends the requests of the file in TOKENWARD_REQUESTS in turn; a line with its length in bytes precedes each.
local requests = {}
local file = assert(io.open(os.getenv("TOKENWARD_REQUESTS"), "rb"))
while true do
    local length = file:read("*n")
    if not length then break end
    file:read(1)
    requests[#requests + 1] = file:read(length)
end
file:close()

local at = 0
function request()
    at = at % #requests + 1
    return requests[at]
end
