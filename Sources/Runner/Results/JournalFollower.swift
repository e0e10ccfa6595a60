import CLuaHost
import CSystem
import DLP
import Glibc
import Journal
import Launcher
import Report

/// What `--watch` does: it shows how far the job that writes a journal is, until the job has ended or the user quits.
struct JournalFollower {
    private let path: SystemString
    private let stage: String?
    private let watch: JournalWatch
    private let signals: SignalQueue

    /// How often to look, in milliseconds; and without a terminal, after how many looks to print a line.
    private static let (pause, linesApart): (Int32, Int) = (500, 10)

    /// Watches the journal at `path`, or one stage of it.
    static func run(path: SystemString, stage: String?) throws {
        let follower = JournalFollower(
            path: path, stage: stage, watch: try JournalWatch(path: path, stage: stage), signals: try SignalQueue())
        let end = if let screen = FullScreen() { try follower.draw(on: screen) } else { try follower.printLines() }
        if let signal = end { dlp_die_by_signal(signal) }
        print(try follower.view().line)
    }

    private func view() throws -> JournalView {
        let look = try watch.look()
        // While a job writes the journal, the stage may still begin.
        if !look.isWritten, let stage { try JournalReader(path: path).check(stage) }
        return JournalView(path: path, look: look, now: WallClock.now)
    }

    /// Draws until the job has ended.
    ///
    /// - Returns: the signal by which to end, if one came.
    private func draw(on screen: consuming FullScreen) throws -> Int32? {
        while true {
            let view = try view()
            guard view.look.isWritten else { return nil }
            screen.draw { view.screen(columns: $0, rows: $1) }
            let events = wait(hasKeyboard: screen.hasKeyboard)
            if events.hasKey, readKey() == UInt8(ascii: "q") { return nil }
            guard let signal = events.signal else { continue }
            guard signal == SIGTSTP else { return signal }
            screen.suspend()
            dlp_suspend()
            screen.resume()
        }
    }

    /// Prints a line at intervals until the job has ended.
    ///
    /// - Returns: the signal by which to end, if one came.
    private func printLines() throws -> Int32? {
        var number = 0
        while true {
            let view = try view()
            guard view.look.isWritten else { return nil }
            if number % Self.linesApart == 0 {
                print(view.line)
                guard dlp_flush() == 0 else { return nil }
            }
            number += 1
            guard let signal = wait(hasKeyboard: false).signal else { continue }
            guard signal == SIGTSTP else { return signal }
            dlp_suspend()
        }
    }

    /// Waits until it is time to look again, or something comes: a key, or a signal that ends or stops this process.
    private func wait(hasKeyboard: Bool) -> (signal: Int32?, hasKey: Bool) {
        var polled = [pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0)]
        if hasKeyboard { polled.append(pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)) }
        poll(&polled, nfds_t(polled.count), Self.pause)
        var last: Int32?
        while let signal = signals.next()?.number {
            if ![SIGCHLD, SIGUSR1].contains(signal) { last = signal }
        }
        return (last, hasKeyboard && polled[1].revents != 0)
    }

    /// Returns the key that was pressed, or `q` where the input has ended.
    private func readKey() -> UInt8 {
        var key = UInt8(ascii: "q")
        _ = read(STDIN_FILENO, &key, 1)
        return key
    }
}
