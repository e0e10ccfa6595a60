import Arguments
import DLP
import LuaHost
import Report

// What to run, and on which examples.
extension CommandOption {
    static let script: [CommandOption] = [
        .call(
            SettableOption(
                Option("-e", value: "CHUNK", help: "The script is this text."), .text({ $1(&$0.chunk) }, offers: .none))
        ),
        .call(
            SettableOption(
                Option(
                    "--each", value: "COMMAND",
                    help: """
                        Run this command for each example, without a script: {} is the example, {.} {/} {//} {/.} parts of \
                        it, {#} its index, {1} a column.
                        """), .text({ $1(&$0.command) }, offers: .none))),
        .call(
            SettableOption(
                Option("--tag", help: "Begin each line that it writes with the example."), .flag({ $1(&$0.hasTags) }))),
        .call(
            SettableOption(
                Option(
                    "--dry-run",
                    help: "Print the commands of --each, or what a script would do again with a --journal; do nothing."),
                .flag({ $1(&$0.isDry) }))),
        .call(
            SettableOption(
                Option("--why", value: "N", help: "Say whether example N would be done with a --journal, and why."),
                .number({ $1(&$0.why) }, 1...Int(Int32.max)))),
        .call(
            SettableOption(
                Option(
                    "--outputs", value: "DIR",
                    help: "Keep what each command writes in DIR/INDEX/stdout, stderr and status."),
                .text({ $1(&$0.outputs) }, offers: .directories))),
        .job(
            JobOption(
                Option("--sandbox", help: "No files, programs, C modules or bytecode for the script."),
                script: .never("which it is to guard against"), heededBy: .everyScript, alike: .presence,
                .flag({ $1(&$0.isSandboxed) }))),
        .call(
            SettableOption(
                Option("--check", help: "Load the script and look at its examples, but do no work."),
                .flag({ $1(&$0.checks) }))),
    ]

    static let ranks: [CommandOption] = [
        .job(
            JobOption(
                Option(
                    "--gpus", value: "auto|N|LIST",
                    help: "Give each rank of a host one device, by turns: those that there are, N, or those of a list."),
                script: .tooLate, heededBy: .everyScript, alike: .none,
                .value(
                    { $1(&$0.gpus) }, "auto, a number from 1 to 1024, or a list as 0,2,3", offers: .words(["auto"]),
                    parse: { DeviceWish($0) })))
    ]

    static let examples: [CommandOption] = [
        .job(
            JobOption(
                Option(
                    "--input", value: "FILE",
                    help: """
                        The examples are the records of FILE, - being standard input: rows of .csv and .tsv, values of \
                        .jsonl, otherwise lines.
                        """), script: .whereTrusted, heededBy: .jobs, alike: .presence,
                .text({ $1(&$0.input) }, offers: .files([])))
        ),
        .job(
            JobOption(
                Option(
                    "--format", value: "WHAT",
                    help: "How the input is divided, whatever its name: lines, nul, csv, tsv or jsonl."),
                script: .always, heededBy: .jobs, alike: .presence, owner: "input", .choice({ $1(&$0.format) }))),
        .call(SettableOption(Option("-0", help: "The same as --format nul."), .flag({ $1(&$0.readsNUL) }))),
        .job(
            JobOption(
                Option(
                    "--examples", value: "WHO",
                    help: """
                        Who makes the list: replicate: each rank, which must all make the same; root: rank 0, which sends \
                        its examples. Otherwise each rank where all make the same.
                        """), script: .always, heededBy: .jobs, alike: .value, isOffered: true,
                .choice({ $1(&$0.examples) }))),
        .job(
            JobOption(
                Option(
                    "--seed", value: "N|random",
                    help: "What seeds math.random, together with the index of an example (0)."), script: .always,
                heededBy: .everyScript, alike: .value, isOffered: true,
                .value(
                    { $1(&$0.seed) }, "a whole number or random", offers: .words(["random"]), text: { $0.text },
                    parse: { Seed($0) }))),
    ]

    /// The options that choose some of the examples.
    static let choice: [CommandOption] = [
        .job(
            JobOption(
                Option(
                    "--only", value: "LIST",
                    help: """
                        Do these examples alone, as 17 or 3,8-12, with the indices and seeds that they have in the whole \
                        job. A journal is neither read nor written.
                        """), script: .ofOneRun, heededBy: .jobs, alike: .value, isOffered: true,
                .value(
                    { $1(&$0.only) }, "indices from 1 on, as 17 or 3,8-12", offers: .none, text: { $0.text },
                    parse: { ExampleRanges($0) }))),
        .job(
            JobOption(
                Option(
                    "--sample", value: "N|N%",
                    help: """
                        The same for N examples, or N percent of them, drawn by the seed of the job: the same ones for any \
                        number of ranks.
                        """), script: .ofOneRun, heededBy: .jobs, alike: .value, isOffered: true,
                .value(
                    { $1(&$0.sample) }, "a number of examples from 1 on, or a percentage up to 100%", offers: .none,
                    text: { $0.text }, parse: { SampleSize($0) }))),
        .job(
            JobOption(
                Option(
                    "--failed",
                    help: "The same for those that the --journal has as failed; it is told what becomes of them."),
                script: .ofOneRun, heededBy: .jobs, alike: .value, isOffered: true, .choice({ $1(&$0.failed) }))),
    ]

    static let handOut: [CommandOption] = [
        .job(
            JobOption(
                Option(
                    "--mode", value: "MODE",
                    help: """
                        map: on demand, results come back as they are made; managed: on demand, results come back at the \
                        end; round-robin: shared out at the start (map).
                        """), script: .always, heededBy: .jobs, alike: .value, isOffered: true,
                .choice({ $1(&$0.mode) }))),
        .job(
            JobOption(
                Option("--chunk", value: "N", help: "Hand out N examples at a time. Otherwise as many as pay."),
                script: .always, heededBy: .everyScript, alike: .value, isOffered: true,
                .number({ $1(&$0.chunk) }, 1...Int.max))),
        .job(
            JobOption(
                Option(
                    "--costs", value: "FILE",
                    help: "Begin those examples first that took longest in the run whose journal this is."),
                script: .whereTrusted, heededBy: .jobs, alike: .presence, isOffered: true,
                .text({ $1(&$0.costs) }, offers: .files([])))),
        .job(
            JobOption(
                Option("--root-works", value: "yes|no", help: "Whether rank 0 takes examples, too (yes)."),
                script: .always, heededBy: .everyScript, alike: .value, isOffered: true, .choice({ $1(&$0.rootWorks) }))
        ),
    ]
}
