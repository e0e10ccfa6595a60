-- Small results, all kept for summarize: results.lua COUNT. The peak is the root's peak resident memory, in bytes.
local count = math.tointeger(arg[1])
function examples() return count end
function work(n) return n * 0.5 end

function summarize(results)
  assert(results.n == count and results[count] == count * 0.5)
  local status <close> = assert(io.open("/proc/self/status"))
  print(('{"peak": %d}'):format(status:read("a"):match("VmHWM:%s*(%d+)") * 1024))
end
