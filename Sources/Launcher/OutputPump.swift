import CSystem
import DLP
import Glibc

/// Passes the output of the ranks on to the launcher's standard output and standard error.
///
/// Memory stays bounded: where a reader is slow, or a rank waits for another rank's long line to end, the rank's pipe
/// is not read. The rank then blocks as if it wrote to the reader itself.
final class OutputPump {
    /// How long the writer of a long line may pause while others wait: it may be waiting for one of them.
    private static let floorPatience: UInt64 = 1_000_000_000

    /// The reading end of a rank's output.
    private struct Pipe {
        let descriptor: Int32
        /// The indices of the output and of the writer in it.
        let output: Int
        let source: Int
    }

    private let poller: Poller
    /// Standard output and standard error; only one where both are the same file, so that lines stay whole there too.
    private let outputs: [Output]
    /// The outputs that are watched for room.
    private var awaited: Set<Int> = []
    /// The writer that stands for the launcher itself.
    private let ownSource: Int
    private var pipes: [Int: Pipe] = [:]
    /// Writers whose bytes come by `feed`: the index of the output, and of the writer in it.
    private var feeds: [Int: (output: Int, source: Int)] = [:]
    /// Pipes that are not read until there is room for their bytes.
    private var paused: Set<Int> = []
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    /// Whether the output of ranks is read and dropped.
    private(set) var isMuted = false
    /// Why output of the ranks could not be read.
    private var failure: Int32?
    /// When the writer of a long line last wrote.
    private var floorTime: UInt64 = 0
    /// The poller's numbers: first those of the outputs, then those of the pipes.
    private let firstNumber: Int
    private var nextNumber: Int

    /// Uses the poller's numbers from `firstNumber` on.
    init(poller: Poller, firstNumber: Int) {
        self.poller = poller
        self.firstNumber = firstNumber
        outputs = (Output.areSame(1, 2) ? [1] : [1, 2]).map { Output(descriptor: $0) }
        nextNumber = firstNumber + outputs.count
        ownSource = outputs[outputs.count - 1].lines.add()
    }

    private var errors: Output { outputs[outputs.count - 1] }

    /// Reads from `descriptor`, which then belongs to the pump; `tag` begins each line.
    func add(_ descriptor: Int32, to stream: RankStream, tag: String, isPrompt: Bool) {
        let output = stream == .output ? 0 : outputs.count - 1
        let source = outputs[output].lines.add(tag: tag, isPrompt: isPrompt)
        pipes[nextNumber] = Pipe(descriptor: descriptor, output: output, source: source)
        poller.add(descriptor, as: nextNumber, for: .input)
        nextNumber += 1
    }

    // MARK: - Writers on other hosts

    /// Adds a writer whose bytes come by `feed`; `tag` begins each line.
    ///
    /// - Returns: the writer's number, for later calls.
    func addFeed(to stream: RankStream, tag: String) -> Int {
        let output = stream == .output ? 0 : outputs.count - 1
        let number = nextNumber
        nextNumber += 1
        feeds[number] = (output, outputs[output].lines.add(tag: tag))
        return number
    }

    /// Takes bytes that a writer has written.
    func feed(_ bytes: [UInt8], from number: Int, at now: UInt64) {
        guard let feed = feeds[number], !isMuted else { return }
        let output = outputs[feed.output]
        bytes.withUnsafeBytes { output.lines.write($0, from: feed.source) }
        if output.lines.floor == feed.source { floorTime = now }
        if output.isFull { output.flush() }
    }

    /// Whether no more bytes of a writer should be taken for now.
    func isFull(_ number: Int) -> Bool {
        feeds[number].map { outputs[$0.output].isFull || outputs[$0.output].lines.isFull($0.source) } ?? false
    }

    /// Notes that a writer has ended.
    func closeFeed(_ number: Int) {
        guard let feed = feeds.removeValue(forKey: number) else { return }
        outputs[feed.output].lines.close(feed.source)
    }

    // MARK: - Messages of the launcher

    /// Writes a line from the launcher itself to standard error.
    func report(_ line: String) { errors.lines.write(line.visible(keepsLines: true) + "\n", from: ownSource) }

    /// Drops the output of the ranks from now on, such as their complaints about the end of a job that is ended for
    /// them.
    func mute() { isMuted = true }

    /// Shows `text` at the bottom of the terminal, if standard error is a terminal.
    func show(status text: String) { errors.show(status: text) }

    /// Clears the status line, so that other processes can use the terminal until the next `settle`.
    func leaveTerminal() {
        for output in outputs {
            output.hideStatus()
            output.drain()
        }
    }

    /// Whether everything has been read and written.
    var isDone: Bool { pipes.isEmpty && feeds.isEmpty && !outputs.contains { $0.isPending } }

    /// The time at which `settle` is due, if nothing happens before.
    var deadline: UInt64? { outputs.contains(where: isStuck) ? floorTime + Self.floorPatience : nil }

    private func isStuck(_ output: Output) -> Bool { output.lines.isContended && !output.isFull }

    /// Handles the poller's event `number`.
    func handle(_ number: Int, at now: UInt64) {
        if number < firstNumber + outputs.count {
            outputs[number - firstNumber].drain()
        } else if let pipe = pipes[number], !paused.contains(number) {
            readOnce(number, pipe)
            if outputs[pipe.output].lines.floor == pipe.source { floorTime = now }
        }
    }

    /// Writes what has been read, as far as the readers take it.
    ///
    /// - Returns: why output of the ranks is lost; each reason once.
    func settle(at now: UInt64) -> Int32? {
        for output in outputs where isStuck(output) && now >= floorTime + Self.floorPatience {
            output.lines.breakFloor()
            floorTime = now
        }
        for (index, output) in outputs.enumerated() {
            output.flush()
            let number = firstNumber + index
            if output.isPending, awaited.insert(index).inserted {
                poller.add(output.watched, as: number, for: .output)
            } else if !output.isPending, awaited.remove(index) != nil {
                poller.remove(output.watched)
            }
        }
        for number in paused { resumeIfPossible(number) }
        return failure.take()
            ?? outputs.enumerated().compactMap { index, output in
                // Standard error holds no results. If there is no room for it, the job goes on.
                output.takeFailure().flatMap { index > 0 && $0 != EPIPE ? nil : $0 }
            }.first
    }

    /// Reads what is left in the pipes; to be called until `isDone`.
    ///
    /// By now no process should write. If one still holds a pipe, this does not wait for it.
    func finish() {
        show(status: "")
        for (number, pipe) in pipes {
            var isEmpty = false
            while !isEmpty && !paused.contains(number) && pipes[number] != nil { isEmpty = !readOnce(number, pipe) }
            if isEmpty && pipes[number] != nil { close(number, pipe) }
        }
    }

    // MARK: - Reading

    /// Reads once from a pipe; returns false where there was nothing to read.
    @discardableResult
    private func readOnce(_ number: Int, _ pipe: Pipe) -> Bool {
        let output = outputs[pipe.output]
        let count = read(pipe.descriptor, &buffer, buffer.count)
        if count < 0 && errno == EINTR { return true }
        if count < 0 && errno == EAGAIN { return false }
        if count <= 0 {
            if count < 0 { failure = errno }
            close(number, pipe)
            return false
        }
        if isMuted { return true }
        buffer.withUnsafeBytes { bytes in
            output.lines.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), from: pipe.source)
        }
        if output.isFull { output.flush() }
        if mustWait(pipe) {
            poller.remove(pipe.descriptor)
            paused.insert(number)
        }
        return true
    }

    private func mustWait(_ pipe: Pipe) -> Bool {
        outputs[pipe.output].isFull || outputs[pipe.output].lines.isFull(pipe.source)
    }

    private func resumeIfPossible(_ number: Int) {
        guard let pipe = pipes[number], !mustWait(pipe) else { return }
        paused.remove(number)
        poller.add(pipe.descriptor, as: number, for: .input)
    }

    private func close(_ number: Int, _ pipe: Pipe) {
        outputs[pipe.output].lines.close(pipe.source)
        Glibc.close(pipe.descriptor)
        pipes[number] = nil
    }
}
