-- wrk: one job of a pipeline of five steps per request, each step a job of its own.
wrk.method = "POST"
wrk.path = "/api/v1/pipelines/five/run"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("PLATEN_KEY")
wrk.body = '{"inputs":{}}'
