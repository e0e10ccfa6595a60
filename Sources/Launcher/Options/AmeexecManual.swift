public import Arguments
import DLP

extension AmeexecOptions {
    /// The description of ameexec for help, manual page and completion.
    public static var description: ProgramDescription<Entry> {
        ProgramDescription(
            program: "ameexec", version: Version.current, sections: sections, first: .command, manual: manual)
    }

    private static var manual: Manual {
        Manual(
            phrase: "start a program several times, as the ranks of one job",
            synopsis: ["[OPTION]... COMMAND [ARG]..."],
            calls: ["ameexec -np 4 dlp-lua job.lua", "ameexec -np 2 --tag-output sh -c 'echo $AME_RANK of $AME_SIZE'"],
            description: [
                .paragraph(
                    "ameexec starts a program N times on this machine, or on other hosts by ssh, and tells each of these ranks "
                        + "its place by variables of the environment. The ranks of dlp-lua, and those of Python scripts that use "
                        + "the backend ame of dlp_mpi, find each other by these; any other program may use them, too."),
                .paragraph(
                    "Lines of output stay whole. Standard input goes to rank 0 where it is no terminal. When a rank fails, the "
                        + "others get SIGTERM and, after a grace time, SIGKILL; a job of dlp-lua that can do without the rank goes "
                        + "on. SIGINT, SIGTERM and SIGHUP are passed on; a second SIGINT or SIGTERM kills. SIGUSR1 is for a "
                        + "rank 0 that is dlp-lua, which says how far the job is. No process stays behind. If ameexec is killed "
                        + "itself, the ranks and what is in their process groups end all the same."),
            ],
            sections: [
                Manual.Section(
                    "EXIT STATUS",
                    .list([
                        ("0", "All ranks ended with 0."),
                        ("1", "The system refused something."),
                        ("2", "The command line makes no sense, or the program cannot be run."),
                        ("124", "The time of --timeout was over."),
                        ("128+N", "Signal N ended the rank that failed first, or ameexec itself."),
                        ("other", "The status of the rank that failed first, or of rank 0 where that leads the job."),
                    ])),
                Manual.Section(
                    "ENVIRONMENT",
                    .paragraph("Each rank has these variables:"),
                    .list([
                        ("AME_RANK, AME_SIZE", "Its number, from 0 on, and the number of all."),
                        ("AME_HOST, AME_PORT", "Where rank 0 is reached."),
                        ("AME_AUTHKEY", "The key of the job, by which ranks know each other."),
                    ]),
                    .paragraph("ameexec itself heeds this one:"),
                    .list([
                        (
                            "DLP_SSH",
                            "The command in place of ssh that reaches other hosts, with its options, as in DLP_SSH='ssh -p 2222'."
                        )
                    ])),
                Manual.Section(
                    "EXAMPLES", .paragraph("A job on this machine, and on two others with eight ranks each:"),
                    .example(
                        "ameexec -np 4 dlp-lua job.lua\nameexec --hosts a:8,b:8 dlp-lua job.lua"),
                    .paragraph("Any program, with the rank before each line of its output:"),
                    .example("ameexec -np 2 --tag-output sh -c 'echo $AME_RANK of $AME_SIZE'")),
            ],
            seeAlso: ["dlp-lua(1)", "ssh(1)", "mpiexec(1)"], date: "2026-11-30")
    }
}
