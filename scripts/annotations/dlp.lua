---@meta dlp
-- What dlp-lua gives to a script and what the script may define, for editors with the Lua language server (LuaLS). Put
-- the directory of this file into `workspace.library` in its settings. Jobs never run this file.

---The module of dlp-lua: a global, and `require "dlp"`.
---@class dlp
dlp = {}

-- This rank's place

---The number of this rank, from 0. In Lua 0 is true: write `dlp.RANK == 0`, or `dlp.IS_ROOT`.
---@type integer
dlp.RANK = 0

---The number of ranks.
---@type integer
dlp.SIZE = 1

---The number of the root: 0.
---@type integer
dlp.ROOT = 0

---The same, as dlp_mpi calls it.
---@type integer
dlp.MASTER = 0

---Whether this rank is the root.
---@type boolean
dlp.IS_ROOT = true

---The same, as dlp_mpi calls it.
---@type boolean
dlp.IS_MASTER = true

---The number of this rank among the ranks of its host, from 0; nil if that is not known.
---@type integer?
dlp.LOCAL_RANK = 0

---The number of ranks on this host; nil if that is not known.
---@type integer?
dlp.LOCAL_SIZE = 1

---The name of this host.
---@type string
dlp.hostname = ""

---How the ranks are connected.
---@type "ame"|"mpi"|"none"
dlp.backend = "none"

---The version of dlp-lua.
---@type string
dlp.version = ""

-- Options

---The script's own defaults for options. The command line overrides them.
---@class dlp.options
---@field mode? "map"|"managed"|"round-robin" how examples are handed out
---@field chunk? integer examples handed out at a time; adaptive if absent
---@field costs? string the journal of an earlier run: the examples that took longest there are begun first
---@field root_works? boolean|"yes"|"no" whether the root gets examples too
---@field examples? "replicate"|"root" whether every rank makes the list, or the root makes it and sends it
---@field seed? integer|"random" the seed of math.random
---@field on_error? "stop"|"continue" what happens after an example has failed
---@field retries? integer how often an example that fails is tried again
---@field crash_limit? integer an example that has killed this number of ranks has failed
---@field rejoin? number seconds within which a rank that was cut off may come back
---@field progress? "auto"|"on"|"off" the progress bar
---@field input? string the file with the examples, or `-`
---@field format? "lines"|"nul"|"csv"|"tsv"|"jsonl" the format of the input
---@field collect? "arrival"|"order" the order in which `collect` sees the results
---@field output? string the file for the results: .jsonl, .json, .csv
---@field with? string what is written beside each result, such as "seconds,peak"
---@field timeline? string the file for a picture of which rank did what: .svg, .json
---@field report? string the file for a page about the job: .html
---@field timeout? number seconds for each example
---@field memory? string|integer memory that Lua may use on each rank: "512M", "2G"
---@field stop_after? number seconds after which nothing more is begun; the job then ends with status 5
---@field encrypt? boolean|"yes"|"no" true: several ranks refuse to run without `--encrypt`; false: no effect
---@field journal? string the file that keeps the results of the examples done
---@field keep? boolean whether to continue the journal of another script, or of this one before a change
---@field fresh? boolean whether to begin the journal anew
---@field track? boolean whether the journal notes which functions each example enters and which files it reads

---@type dlp.options
dlp.options = {}

-- Communication: all ranks call these in the same order

---Waits until all ranks have called it.
function dlp.barrier() end

---Gives the value of one rank to every rank.
---@generic T
---@param value T nil, booleans, numbers, strings, and tables of them
---@param root? integer the rank whose value it is; 0 if absent
---@return T
function dlp.bcast(value, root) end

---Brings the values of all ranks to the root.
---@generic T
---@param value T
---@return {[integer]: T, n: integer}? values on the root: rank r's is at r + 1; nil elsewhere
function dlp.gather(value) end

---Brings the values of all ranks to every rank.
---@generic T
---@param value T
---@return {[integer]: T, n: integer} values rank r's is at r + 1
function dlp.allgather(value) end

---Folds the values of all ranks on the root, in the order of the ranks.
---@generic T
---@param value T
---@param fn fun(left: T, right: T): T
---@return T? folded on the root; nil elsewhere
function dlp.reduce(value, fn) end

---Calls a function only on the root. Every rank gets the first value that the function returns.
---@generic T
---@param fn fun(...): T
---@param ... any its arguments
---@return T
function dlp.call_on_root_and_broadcast(fn, ...) end

-- Loops whose elements the ranks share

---@class dlp.split_options
---@field chunk? integer elements handed out at a time
---@field root_works? boolean whether the root gets elements too
---@field progress_bar? boolean
---@field pbar_prefix? string what stands before the progress bar
---@field indexable? boolean as in dlp_mpi; without effect
---@field allow_single_worker? boolean false: an error if there is only one rank
---@field timeout? number seconds for each element
---@field cost? fun(value: any, index: integer): number how long an element takes, in any unit: the longest are begun first

---@class dlp.map_options: dlp.split_options
---@field stage? string a name under which a journal keeps the results
---@field retries? integer how often an element that fails is tried again
---@field on_error? "stop"|"continue" what happens after an element has failed

---What is known about an example or element that failed for good.
---@class dlp.failure
---@field message string
---@field traceback? string
---@field rank? integer the rank where it failed last
---@field attempts integer

---Results by index. The result of an example may be nil.
---@class dlp.results
---@field n integer the number of examples
---@field errors? table<integer, dlp.failure> the examples that failed, by index; nil if none did
---@field [integer] any

---Gives rank r the elements r + 1, r + 1 + SIZE and so on.
---@generic T
---@param seq T[]|integer|function a list, a number n for 1 to n, or an iterator
---@param opts? dlp.split_options
---@return fun(): T, integer next of value and index
function dlp.split_round_robin(seq, opts) end

---Gives elements to ranks on demand.
---@generic T
---@param seq T[]|integer|function a list, a number n for 1 to n, or an iterator
---@param opts? dlp.split_options
---@return fun(): T, integer next of value and index
function dlp.split_managed(seq, opts) end

---Calls a function for the elements, on all ranks. The root gets the results as they arrive.
---@generic T, R
---@param fn fun(value: T, index: integer): R
---@param seq T[]|integer|function a list, a number n for 1 to n, or an iterator
---@param opts? dlp.map_options
---@return fun(): R, integer next of result and index; on other ranks it gives nothing
function dlp.map_unordered(fn, seq, opts) end

---Calls a function for the elements, on all ranks.
---@generic T, R
---@param fn fun(value: T, index: integer): R
---@param seq T[]|integer|function a list, a number n for 1 to n, or an iterator
---@param opts? dlp.map_options
---@return dlp.results results by index on the root; empty elsewhere
function dlp.map(fn, seq, opts) end

-- Collections that all ranks fill

---A table that may be filled at any depth: `dict.a.b = 1`.
---@class dlp.nested_dict
---@field [any] any
---@field gather fun(self: dlp.nested_dict): table? what all ranks have written, on the root; nil elsewhere

---@class dlp.unordered_list
---@field append fun(self: dlp.unordered_list, value: any)
---@field extend fun(self: dlp.unordered_list, values: any[])
---@field gather fun(self: dlp.unordered_list): any[]? what all ranks have appended, on the root; nil elsewhere

dlp.collection = {}

---@return dlp.nested_dict
function dlp.collection.NestedDict() end

---@return dlp.unordered_list
function dlp.collection.UnorderedList() end

-- Programs

---A program and how to run it: its words, and options.
---@class dlp.command
---@field [integer] string|number the program, then its arguments
---@field stdin? string what the program reads on its standard input
---@field cwd? string where it begins
---@field env? table<string, string|number|false> variables to set, or with false to remove
---@field stdout? "capture"|"inherit"|"discard"|{file: string}
---@field stderr? "capture"|"inherit"|"discard"|"stdout"|{file: string}
---@field check? boolean true: any status but 0 is an error
---@field timeout? number seconds after which the program is ended

---How a program ended.
---@class dlp.outcome
---@field status integer its exit status; 128 + n if signal n ended it
---@field signal? integer the signal that ended it
---@field stdout? string what it wrote, if that was captured
---@field stderr? string
---@field seconds number how long it took
---@field cpu number its processor time, including programs that it has waited for
---@field peak integer its largest resident memory, in bytes
---@field timed_out? boolean true if `timeout` has ended it

---Runs a program, without a shell, and waits for it.
---@param command dlp.command
---@return dlp.outcome
function dlp.run(command) end

---A program that lives on from one example to the next. Calling it sends a value and returns the answer.
---@class dlp.coprocess
---@overload fun(value: any): any
---@field close fun(self: dlp.coprocess) ends it; the next call starts it anew

---@class dlp.coprocess_command
---@field [integer] string|number the program, then its arguments
---@field cwd? string where it begins
---@field env? table<string, string|number|false> variables to set, or with false to remove
---@field timeout? number seconds for each call

---@param command dlp.coprocess_command
---@return dlp.coprocess
function dlp.coprocess(command) end

---The text as one word for `/bin/sh`.
---@param text string
---@return string
function dlp.quote(text) end

-- Inputs

---The rows, values or lines of a file, for `examples()` and for `for`.
---@class dlp.rows
---@overload fun(): any, integer
---@field all fun(self: dlp.rows): any[] all remaining records, as a list

---@class dlp.csv_options
---@field separator? string the character between fields; `,` if absent
---@field header? boolean false: the file has no row of names
---@field types? "auto"|table<string|integer, "number"|"integer"|"boolean"|"string"> types of columns
---@field ragged? "fill" missing fields of a short row are empty; if absent, a short row is an error

---The rows of a CSV file.
---@param path string
---@param opts? dlp.csv_options
---@return dlp.rows
function dlp.csv(path, opts) end

---The values of a file of JSON Lines.
---@param path string
---@return dlp.rows
function dlp.jsonl(path) end

---The lines of a file.
---@param path string
---@return dlp.rows
function dlp.lines(path) end

---Says that results also depend on these values: with a journal, examples are done again when the values have changed.
---@param value any
---@param ... any
function dlp.depends(value, ...) end

---A digest of a file's content: 32 hexadecimal digits.
---@param path string
---@return string
function dlp.digest_file(path) end

---The Cartesian product, in the order of the sorted names; the last name varies fastest. A number n stands for 1 to n.
---@param axes table<string, any[]|integer>
---@return table<string, any>[]
function dlp.grid(axes) end

dlp.json = {}

---@param value any
---@return string text
function dlp.json.encode(value) end

---@param text string
---@return any value
function dlp.json.decode(text) end

-- Control of a job

---In `collect`: no more results are needed. Examples under work are given up, and `summarize` is called.
function dlp.stop() end

---What an iterator of `examples()` returns if it has nothing to propose before another result has been collected.
---@class dlp.LATER
dlp.LATER = {}

---In `collect`: adds examples to the end of the list.
---@param ... any values that can travel
function dlp.add(...) end

-- Time

---Seconds since 1970.
---@return number
function dlp.time() end

---Sleeps. `--timeout`, Ctrl-C and the end of the job end the pause.
---@param seconds number
function dlp.sleep(seconds) end

-- The functions of a job, which a script defines

---What to work on: a list, a number n for 1 to n, or an iterator. Without it: the records of `--input`, or the lines of
---standard input.
---@return any[]|integer|function
function examples() end

---Called once on every rank that gets examples, before the first. Optional.
function setup() end

---What an example costs, in any unit. Called on the root for each example of a list, before any is handed out. The longest
---are begun first. Optional.
---@param example any
---@param index integer from 1
---@return number cost from 0 on
function cost(example, index) end

---The work: called for each example, on one of the ranks.
---@param example any
---@param index integer from 1
---@return any result
function work(example, index) end

---Called on the root for each result, as results arrive or in the order of the examples. Optional.
---@param result any
---@param index integer
---@param example any
function collect(result, index, example) end

---Called once on the root, at the end. Without it and without `collect`, results are printed as JSON Lines.
---@param results dlp.results
function summarize(results) end

return dlp
