import AME
import CLuaHost
import CSystem
import DLP
import Glibc
import LuaHost
import Report

/// Does on this rank what the command line asks for.
///
/// - Returns: the exit status.
public func run(_ invocation: Invocation) -> Int32 {
    let beginning = dlp_now()
    dlp_buffer_standard_output()
    let secret = Joinable.takeSecret()
    if let status = lookIntoJournal(invocation) { return status }
    if case .running(let address) = invocation.source {
        return JoinedRank.run(address, invocation.options, secret: secret)
    }
    let detection: Detection
    let joinable: Joinable?
    do throws(UsageError) {
        var wanted = invocation.options.backend
        // An exported variable is meant for jobs. A process that only looks at a job may be alone and ignores it
        // then.
        if wanted == nil, invocation.task.isRun || Detection.isLaunched(.own) { wanted = try Backend.fromEnvironment() }
        joinable = try Joinable(invocation, secret: secret, isRoot: Detection.rankByVariables(.own) == 0)
        detection = try Detection(
            wanted: wanted, isTyped: invocation.options.backend != nil, facts: .own,
            isJoinable: invocation.options.joinable != nil, isChild: InheritedLaunch.includes)
        if invocation.options.encrypt == .yes { try Encryption.check(detection.choice) }
    } catch { return complainOnce(error.message, status: 2) }
    if let option = invocation.misplacedOption, Detection.rankByVariables(.own) == 0, isShownOnTerminal {
        Diagnostics.write(
            "\(option) stands behind the script, which gets it as an argument; options of dlp-lua stand before the script"
        )
    }
    if let warning = detection.warning { Diagnostics.write(warning) }
    if let repetition = detection.repetition, invocation.task != .info, Detection.rankByVariables(.own) == 0 {
        Diagnostics.write(repetition)
    }

    // A process that works alone is the root of its own job, whatever rank a launcher has given it.
    let isAlone = if case .alone = detection.choice { true } else { false }
    let isRoot = isAlone || Detection.rankByVariables(.own) == 0
    let supervisor = Supervisor(isRoot ? .root : .worker, speaks: speaksAtStart())
    let session: Session
    let timeout = UInt64((invocation.options.connectTimeout ?? 60) * 1e9)
    do throws(CommunicationError) {
        try supervisor.begin()
        let connection = try Connection(
            detection, within: timeout, encryption: Encryption.wanted(invocation.options.encrypt), joinable: joinable,
            isExplained: invocation.task == .info)
        session = try Session(connection, supervisor, since: beginning, connectTimeout: timeout)
        dlp_buffer_standard_output()  // An MPI library may have changed it.
    } catch {
        let rank = detection.launcher?.rank.map { "rank \($0): " } ?? ""
        return supervisor.conclude(.notConnected(rank + error.description))
    }
    InheritedLaunch.leave(DetectedLauncher.all(in: .own), isLaunched: session.connection.size > 1)
    if invocation.task == .info { return Info.show(session) }
    if let fault = takeShare(session.connection, invocation.options.gpus) { return session.end(UsageError(fault)) }
    return ScriptRun(session, invocation).run()
}

/// Tells libraries and programs which part of its host this rank may use.
///
/// - Returns: what is wrong with the user's option; nil where nothing is.
private func takeShare(_ connection: Connection, _ gpus: DeviceWish?) -> String? {
    let isOurs = if case .ameVariables = connection.detection.choice { true } else { false }
    HostShare.limitThreads(connection.place, isOurLauncher: isOurs)
    return gpus.flatMap { HostShare.chooseDevice($0, connection.place) }
}

/// Whether a user reads standard error on a terminal, here or through ameexec.
private var isShownOnTerminal: Bool { isatty(2) == 1 || ProcessFacts.own.number(AMEVariable.columns) != nil }

/// Whether this process reports a signal that ends it before it is connected.
///
/// The root does, unless one of our launchers started it: the launcher knows whether the user wanted the job to end or
/// a rank has failed.
public func speaksAtStart() -> Bool {
    Detection.rankByVariables(.own) == 0 && getenv(AMEVariable.control) == nil
}

/// Complains on the root only, because the other ranks were called with the same command line.
public func complainOnce(_ message: String, status: Int32) -> Int32 {
    if Detection.rankByVariables(.own) == 0 {
        Diagnostics.write(message)
    } else {
        Pause.nanoseconds(LifePeriods.rootsComplaint)
    }
    return status
}

/// Returns why this process must not start ranks; nil where it may.
///
/// If a launcher started several such processes, each would start ranks.
public func objectionToStartingRanks() -> String? {
    guard let launch = Detection.launchOfSeveral(.own, isChild: InheritedLaunch.includes) else { return nil }
    return
        "\(launch.name) started \(launch.size) processes, and each would start ranks for the whole job: leave -np out"
}
