public import Arguments
import DLP

extension CommandOption {
    /// The description of dlp-lua for help, manual page and completion.
    public static var description: ProgramDescription<CommandOption> {
        ProgramDescription(
            program: "dlp-lua", version: Version.current, sections: sections, first: .files(["lua"]), manual: manual)
    }

    private static var manual: Manual {
        Manual(
            phrase: "run a function over many examples on many processes, from Lua",
            synopsis: [
                "[OPTION]... SCRIPT [ARG]... [::: EXAMPLE...]",
                "[OPTION]... -e CHUNK [ARG]... [::: EXAMPLE...]",
                "[OPTION]... --each COMMAND [::: EXAMPLE...]",
                "[OPTION]... - [ARG]...",
            ],
            calls: [
                "ameexec -np 4 dlp-lua job.lua",
                #"printf '%s\n' a bb ccc | dlp-lua -np 2 -e 'function work(l) return #l end'"#,
                "dlp-lua --output e.csv -e 'function examples() return 9 end work = math.exp'",
            ],
            description: overview, sections: [status, signals, environment, files, calls],
            seeAlso: ["ameexec(1)", "lua(1)", "mpiexec(1)", "srun(1)", "sqlite3(1)"], date: "2026-11-30")
    }

    private static var overview: [Manual.Block] {
        [
            .paragraph(
                """
                One executable is started on every rank, by ameexec, an MPI launcher, Slurm, or by itself with -np. The \
                script says what to do, the examples are handed out to the ranks, and the results come back to the root, \
                rank 0. They are the same for any number of ranks. A script defines these functions:
                """),
            .list([
                (
                    "examples()",
                    """
                    What to work on: a table, a whole number n for 1 to n, or an iterator. Without it: the records of \
                    --input, what stands behind :::, or the lines of standard input.
                    """
                ),
                (
                    "cost(example, index)",
                    "Says, on the root, how long an example of a table is, in any unit: the longest are begun first."
                ),
                ("setup()", "Runs once on every rank that gets examples, before its first one."),
                ("work(example, index)", "Runs on one rank for each example; what it returns is the result."),
                ("collect(result, index, example)", "Runs on the root for each result, as results arrive."),
                (
                    "summarize(results)",
                    """
                    Runs once on the root, at the end. Without it, and without collect, results are printed as JSON \
                    Lines, in the order of the examples.
                    """
                ),
            ]),
            .paragraph(
                """
                All but work may be left out. A script without work runs on every rank and communicates by the module \
                dlp. A table dlp.options holds the script's own defaults for options, with _ in place of - in their names; \
                the command line wins.
                """),
            .paragraph(
                """
                Options stand before the script. What stands behind it, or behind --, is the script's own, in its table \
                arg. The script - is standard input. Behind ::: stand examples, behind :::: files whose lines are \
                examples; of several lists each combination is an example, and :::+ or ::::+ goes with the list before it, \
                one by one. In the help of an option its default stands in parentheses.
                """),
        ]
    }

    private static var status: Manual.Section {
        Manual.Section(
            "EXIT STATUS",
            .list([
                ("0", "All is done."),
                ("1", "The script failed: work or another function raised an error, or a syntax error."),
                ("2", "Usage: a bad option, a missing file, output that cannot be written."),
                ("3", "Ranks could not connect, or one was lost that the job cannot do without."),
                ("4", "Finished, with failed examples."),
                ("5", "Stopped by --stop-after before all was done: the same call with the same --journal goes on."),
                ("129, 130, 143", "Interrupted by SIGHUP, SIGINT, SIGTERM."),
                ("other", "The script's own, by os.exit."),
            ]))
    }

    private static var signals: Manual.Section {
        Manual.Section(
            "SIGNALS",
            .list([
                ("SIGINT, SIGHUP", "The job is over: what runs is abandoned, and one line says how far it came."),
                ("SIGTERM", "No more examples are begun, and those that run may finish for ten seconds."),
                ("SIGUSR1", "Rank 0 says on standard error which rank does what since when, and how far the job is."),
            ]))
    }

    private static var environment: Manual.Section {
        Manual.Section(
            "ENVIRONMENT",
            .list([
                ("DLP_BACKEND, DLP_MPI_BACKEND", "The same as --backend, for jobs; mpi4py means mpi."),
                ("DLP_HOST, DLP_INTERFACE", "The address, or the interface as ib0, at which the root is reached."),
                ("DLP_JOIN_KEY", "The secret of --joinable and --join: the same for the job and those who join it."),
                ("DLP_MPI_LIBRARY", "The MPI library to open, or a plugin for one with an interface of its own."),
                ("DLP_RENDEZVOUS_DIR", "A directory that all nodes see, where ranks under srun without PMI meet."),
                ("DLP_SSH", "The command in place of ssh that reaches other hosts, with its options."),
                ("LUA_PATH, LUA_CPATH, LUA_INIT", "As for lua(1)."),
                (
                    "OMP_NUM_THREADS",
                    "Set, like its kin of BLAS libraries, to each rank's share of the processors, where none of them is set."
                ),
            ]))
    }

    private static var files: Manual.Section {
        Manual.Section(
            "FILES",
            .list([
                (
                    "FILE of --journal",
                    """
                    An SQLite database with a row for each finished example. FILE-wal and FILE-shm, or FILE-journal, \
                    belong to it after a kill.
                    """
                ),
                ("FILE.partial", "What there is of --output after a job that did not finish."),
                ("~/.dlp-lua", "Where ranks under srun without PMI meet, where DLP_RENDEZVOUS_DIR is not set."),
            ]))
    }

    private static var calls: Manual.Section {
        Manual.Section(
            "EXAMPLES", .paragraph("A job of four ranks, whose script squares five numbers:"),
            .example(
                """
                -- job.lua
                function examples() return {3, 1, 4, 1, 5} end
                function work(example) return example ^ 2 end
                """),
            .example("dlp-lua -np 4 job.lua"),
            .paragraph("A long one, which goes on with the same call after whatever ended it:"),
            .example("dlp-lua -np 8 --journal run.db --on-error continue --retries 2 job.lua"),
            .paragraph("A command for each file, without a script:"),
            .example("dlp-lua -np 8 --each 'gzip -kf {}' ::: *.txt"),
            .paragraph("A function of each line of standard input:"),
            .example(#"printf '%s\n' a bb ccc | dlp-lua -np 2 -e 'function work(line) return #line end'"#))
    }
}
