-- wrk: one durable job per request, about 1 KB of parameters; delayed for an hour so that only the enqueue is measured.
local query = os.getenv("QUERY") or ""
wrk.method = "POST"
wrk.path = "/api/v1/steps/text.stats" .. query
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("PLATEN_KEY")
wrk.body = '{"delay_ms":3600000,"params":{"text":"' .. string.rep("x", 940) .. '"}}'
