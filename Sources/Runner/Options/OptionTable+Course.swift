import Arguments
import DLP
import LuaHost
import Report

// What happens to the examples: failures, limits, journal, results; and how the ranks are connected.
extension CommandOption {
    static let failures: [CommandOption] = [
        .job(
            JobOption(
                Option(
                    "--on-error", value: "WHAT",
                    help: """
                        After an example that fails: stop the job, or continue with the others and end with status 4 \
                        (stop).
                        """), script: .always, heededBy: .maps, alike: .value, isOffered: true,
                .choice({ $1(&$0.onError) }))),
        .job(
            JobOption(
                Option(
                    "--retries", value: "N",
                    help: "Try an example that fails N times more, on another rank where there is one (0)."),
                script: .always, heededBy: .maps, alike: .value, isOffered: true,
                .number({ $1(&$0.retries) }, 0...FailurePolicy.limit))),
        .job(
            JobOption(
                Option("--crash-limit", value: "N", help: "An example that has killed N ranks has failed (2)."),
                script: .always, heededBy: .maps, alike: .value, isOffered: true,
                .number({ $1(&$0.crashLimit) }, 1...FailurePolicy.limit))),
        .job(
            JobOption(
                Option("--timeout", value: "SECONDS", help: "An example that takes longer has failed."),
                script: .always, heededBy: .loops, alike: .value, isOffered: true,
                .seconds({ $1(&$0.timeout) }, atLeast: 0.001))),
        .job(
            JobOption(
                Option("--memory", value: "SIZE", help: "How much memory Lua may use on each rank, as 512M or 2G."),
                script: .always, heededBy: .everyScript, alike: .value, isOffered: true,
                .value(
                    { $1(&$0.memory) }, "a number of bytes, as 500000, 512M or 2G", offers: .none,
                    parse: { ByteCount($0)?.bytes }))),
        .job(
            JobOption(
                Option(
                    "--stop-after", value: "SECONDS",
                    help: """
                        Begin nothing more after so many seconds, finish what runs, and end with status 5. With --journal \
                        the same call goes on.
                        """), script: .always, heededBy: .loops, alike: .value,
                .seconds({ $1(&$0.stopAfter) }, atLeast: 0.001))),
    ]

    static let journal: [CommandOption] = [
        .job(
            JobOption(
                Option(
                    "--journal", value: "FILE",
                    help: "Keep in FILE what is done. Started again with the same FILE the job goes on where it was."),
                script: .whereTrusted, heededBy: .stages, alike: .presence, isOffered: true,
                .text({ $1(&$0.journal) }, offers: .files([])))),
        .job(
            JobOption(
                Option(
                    "--keep", help: "Go on with the journal of another script, or of this one before it was changed."),
                script: .whereTrusted, heededBy: .everyScript, alike: .none, rivals: ["fresh"],
                .choice({ $1(&$0.keep) }))),
        .job(
            JobOption(
                Option("--fresh", help: "Begin the journal anew."), script: .whereTrusted, heededBy: .everyScript,
                alike: .none, rivals: ["keep"], .choice({ $1(&$0.fresh) }))),
        .job(
            JobOption(
                Option(
                    "--track",
                    help: """
                        Note in the journal which functions each example enters and which files it reads: after an edit only \
                        those are done again that have met what changed.
                        """), script: .whereTrusted, heededBy: .stages, alike: .value, isOffered: true,
                .choice({ $1(&$0.track) }))),
        .call(
            SettableOption(
                Option(
                    "--results", value: "FILE",
                    help: """
                        Show what a journal holds, as JSON Lines, or write it to the file of --output, as a page for a browser \
                        where that is .html.
                        """),
                .text({ $1(&$0.results) }, offers: .files([])))),
        .call(
            SettableOption(
                Option(
                    "--plan", value: "FILE",
                    help: """
                        Say by the times in a journal how long the job would take on -np 1,2,4,... ranks, or on the hosts of \
                        --hosts.
                        """),
                .text({ $1(&$0.plan) }, offers: .files([])))),
        .call(
            SettableOption(
                Option(
                    "--watch", value: "FILE",
                    help: "Show how far the job is that writes a journal, until it ends: from another terminal."),
                .text({ $1(&$0.watch) }, offers: .files([])))),
        .call(
            SettableOption(
                Option(
                    "--stage", value: "NAME",
                    help: "Of the journal of --results, --plan or --watch only the loop of this name."),
                .text({ $1(&$0.stage) }, offers: .none))),
    ]

    static let results: [CommandOption] = [
        .job(
            JobOption(
                Option(
                    "--output", value: "FILE",
                    help: "Write the results to FILE, which is whole when it is there: .jsonl, .json or .csv."),
                script: .whereTrusted, heededBy: .jobs, alike: .presence, isOffered: true,
                .text({ $1(&$0.output) }, offers: .files(["jsonl", "json", "csv"])))),
        .job(
            JobOption(
                Option(
                    "--with", value: "FIELDS",
                    help: """
                        Write these of each example beside its result, in this order: \(ResultField.names). With --results, \
                        too.
                        """), script: .always, heededBy: .jobs, alike: .presence, isOffered: true,
                .value(
                    { $1(&$0.with) }, "some of \(ResultField.names), each once, with commas between them",
                    offers: .words(ResultField.allCases.map(\.rawValue)),
                    text: { $0.map(\.rawValue).joined(separator: ",") }, parse: { ResultField.list($0) }))),
        .job(
            JobOption(
                Option(
                    "--collect", value: "WHEN",
                    help: """
                        When collect sees a result: arrival: as it comes; order: in the order of the examples, so that all it \
                        does is the same for any number of ranks (arrival; order with --each).
                        """), script: .always, heededBy: .jobs, alike: .value, isOffered: true,
                .choice({ $1(&$0.collect) }))),
        .job(
            JobOption(
                Option(
                    "--timeline", value: "FILE",
                    help: "Write who did what when: a picture, .svg, or a trace, .json. May be repeated."),
                script: .whereTrusted, heededBy: .everyScript, alike: .presence,
                .list({ $1(&$0.timelines) }, offers: .files(["svg", "json"])))),
        .job(
            JobOption(
                Option(
                    "--report", value: "FILE",
                    help:
                        "Write a page about the job for a browser, .html: who did what when, failures, lengths, use of ranks."
                ),
                script: .whereTrusted, heededBy: .everyScript, alike: .presence,
                .text({ $1(&$0.report) }, offers: .files(["html"])))),
        .job(
            JobOption(
                Option(
                    "--progress", value: "WHEN",
                    help: "Show a progress bar: auto: on a terminal; on: elsewhere, too; off: never (auto)."),
                script: .always, heededBy: .everyScript, alike: .none, .choice({ $1(&$0.progress) }))),
    ]

    static let connections: [CommandOption] = [
        .job(
            JobOption(
                Option(
                    "--backend", value: "WHAT",
                    help: "What connects the ranks: ame, mpi or none. Otherwise what the launcher offers."),
                script: .tooLate, heededBy: .everyScript, alike: .none, .choice({ $1(&$0.backend) }))),
        .job(
            JobOption(
                Option(
                    "--connect-timeout", value: "SECONDS", help: "How long to wait for all ranks at the start (60)."),
                script: .tooLate, heededBy: .everyScript, alike: .none,
                .seconds({ $1(&$0.connectTimeout) }, atLeast: 0.001))),
        .job(
            JobOption(
                Option(
                    "--rejoin", value: "SECONDS",
                    help: "How long a rank that was cut off tries to come back; 0: not at all (60)."),
                script: .always, heededBy: .jobs, alike: .value, .seconds({ $1(&$0.rejoin) }, atLeast: 0))),
        .job(
            JobOption(
                Option(
                    "--encrypt", value: "yes|no",
                    help: """
                        Encrypt all that ranks send each other over sockets, or nothing. Otherwise what leaves a host is \
                        encrypted.
                        """, optionalValue: Option.OptionalValue(["yes", "no"], usual: "yes")), script: .always,
                heededBy: .everyScript, alike: .none, .choice({ $1(&$0.encrypt) }))),
        .job(
            JobOption(
                Option(
                    "--joinable", value: "[HOST:]PORT",
                    help: "Let other processes join the job at this port, by the secret in DLP_JOIN_KEY; 0: any port."),
                script: .tooLate, heededBy: .everyScript, alike: .none,
                .value(
                    { $1(&$0.joinable) }, "[HOST:]PORT, as 0, 7000 or node1:7000", offers: .none, text: { $0.text },
                    parse: { JobAddress($0) }))),
        .call(
            SettableOption(
                Option("--join", value: "HOST:PORT", help: "Join the job that has said so, by the same DLP_JOIN_KEY."),
                .text({ $1(&$0.join) }, offers: .none))),
        .call(
            SettableOption(
                Option("--new-key", help: "Print a new secret for DLP_JOIN_KEY."), .flag({ $1(&$0.wantsKey) }))),
    ]

    static let information: [CommandOption] = [
        .call(
            SettableOption(
                Option("--info", help: "Say how ranks find each other, and let each of them say hello."),
                .flag({ $1(&$0.explains) })))
    ]
}
