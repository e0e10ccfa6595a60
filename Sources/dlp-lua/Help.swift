/// What `--help` prints: all of it fits a terminal of 24 lines.
let helpText = """
    dlp-lua [OPTION]... SCRIPT|-|-e CHUNK [ARG]... [::: EXAMPLE...]    a job written in Lua; -: stdin
    dlp-lua [OPTION]... --each COMMAND [::: EXAMPLE...]   run it: {} {.} {/} {#} {1}; --tag --dry-run
      -np N, -n N            start N ranks here (auto: one per CPU)     --hosts a:8,b:8  there, by ssh
      --mode MODE            map (default), managed, round-robin     --backend ame|mpi|none
      --chunk N              examples handed out at a time (adaptive)     --root-works yes|no
      --on-error WHAT        stop (default) or continue after an example that fails; status 4 then
      --retries N            try what fails again     --crash-limit N  give up what kills N ranks (2)
      --input FILE, -0       examples from lines, NUL, .csv, .tsv, .jsonl     --examples replicate|root
      --seed N|random        seed of math.random     --gpus auto|N|LIST  one for each rank of a host
      --output FILE          results: .jsonl, .json, .csv     --timeline FILE  who did what: .svg, .json
      --journal FILE         keep in FILE what is done; started again with it the job goes on
      --keep  --fresh        another script's journal: use it, begin anew   --results FILE  show one
      --progress auto|on|off progress bar     --stop-after S  then begin nothing more; status 5
      --timeout S            seconds for each example     --memory SIZE  for Lua: 512M, 2G
      --sandbox              no files, programs, bytecode for it    --encrypt [no]  all, or nothing
      --joinable [HOST:]PORT let others join, by: DLP_JOIN_KEY=SECRET dlp-lua --join HOST:PORT
      --connect-timeout S    wait for all ranks (60)     --rejoin S  for one that was cut off (60)
      --check SCRIPT         look at the examples only     --info     how ranks find each other
      --version  --help      --generate-completion-script bash|zsh|fish    --new-key  a SECRET

    A script defines examples(), work(example, index), summarize(results):
      ameexec -np 4 dlp-lua job.lua
      printf '%s\\n' a bb ccc | dlp-lua -np 2 -e 'function work(line) return #line end'
      dlp-lua -np 8 --output squares.csv -e 'function examples() return 100 end work = math.sqrt'
    """
