-- wrk: 100 durable tasks per request, for a queue of outside work, so that only the enqueue is measured.
local query = os.getenv("QUERY") or ""
local jobs = {}
for i = 1, 100 do
    jobs[i] = '{"step":"queue.send","params":{"to":"bench","payload":{"n":' .. i .. '}}}'
end
wrk.method = "POST"
wrk.path = "/api/v1/jobs" .. query
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("PLATEN_KEY")
wrk.body = '{"jobs":[' .. table.concat(jobs, ",") .. "]}"
