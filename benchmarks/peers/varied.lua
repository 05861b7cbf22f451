-- For wrk: every request takes the next body of a file (JSON: one a line; else the file is one body).
-- Arguments: the file, the media type. done() prints what came as JSON.
local requests, place = {}, 0

function init(args)
  wrk.headers["Content-Type"] = args[2]
  if args[2] == "application/json" then
    for line in io.lines(args[1]) do
      requests[#requests + 1] = wrk.format("POST", wrk.path, nil, line)
    end
  else
    local file = io.open(args[1], "rb")
    requests[1] = wrk.format("POST", wrk.path, nil, file:read("*a"))
    file:close()
  end
end

function request()
  place = place % #requests + 1
  return requests[place]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.6f,"p50_ms":%.4f,"p99_ms":%.4f,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
