import CSystem
import DLP
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import AME

@Suite("Meeting by a file", .serialized)
struct RootContactFileTests {
    static func meet(
        rank: Int, size: Int = 2, in directory: TemporaryDirectory, within timeout: UInt64 = generous
    ) throws(CommunicationError) -> AMEEnvironment {
        var place: any MeetingPlace = try FileMeeting(
            rank: rank, size: size, isOneHost: true, file: RootContactFile(job: "1", in: directory.path),
            within: TimeLimit(timeout))
        return try Rendezvous.meet(at: &place, address: .any)
    }

    /// A worker that meets, connects and says goodbye.
    static func worker(
        _ rank: Int, size: Int = 2, in directory: TemporaryDirectory
    ) throws -> TestThread<Result<Void, any Error>> {
        try TestThread {
            Result {
                let environment = try meet(rank: rank, size: size, in: directory)
                let worker = try AMEWorker(environment: environment, connectTimeout: generous)
                try worker.send(Message(.goodbye), to: 0)
                worker.close(until: dlp_now() + generous)
            }
        }
    }

    @Test("ranks meet whoever comes first, and the file goes when all are there", arguments: [true, false])
    func together(isRootFirst: Bool) throws {
        let directory = try TemporaryDirectory()
        var workers = isRootFirst ? [] : try (1..<4).map { try Self.worker($0, size: 4, in: directory) }
        let environment = try Self.meet(rank: 0, size: 4, in: directory)
        #expect(directory.names == ["job-1"])
        if isRootFirst { workers = try (1..<4).map { try Self.worker($0, size: 4, in: directory) } }
        let root = try AMERoot(environment: environment, connectTimeout: generous)
        #expect(directory.names.isEmpty)
        for _ in 1..<4 { _ = try message(from: root, ignoringLosses: true) }
        for worker in workers { try worker.join().get() }
    }

    @Test("the file goes when rank 0 gives up, and in a job of one rank")
    func givenUp() throws {
        let directory = try TemporaryDirectory()
        let environment = try Self.meet(rank: 0, in: directory)
        #expect(throws: CommunicationError.self) { try AMERoot(environment: environment, connectTimeout: second / 10) }
        #expect(directory.names.isEmpty)
        let lone = try Self.meet(rank: 0, size: 1, in: directory)
        #expect(directory.names == ["job-1"] && lone.listeners.isEmpty)
        _ = try AMERoot(environment: lone, connectTimeout: second)
        #expect(directory.names.isEmpty)
    }

    @Test("a file that another has put in the place of ours stays")
    func replaced() throws {
        let directory = try TemporaryDirectory()
        var first = RootContactFile(job: "1", in: directory.path)
        var second = RootContactFile(job: "1", in: directory.path)
        try first.write(RootContactTests.contact())
        try second.write(RootContactTests.contact())
        first.remove()
        #expect(directory.names == ["job-1"])
        second.remove()
        second.remove()
        #expect(directory.names.isEmpty)
    }

    @Test("a file that an earlier job left misleads nobody: the worker reads again")
    func stale() throws {
        let directory = try TemporaryDirectory()
        // The earlier job's socket now belongs to another program, which accepts the connection and hangs up.
        let name = "dlp-test-stale-\(getpid())"
        let other = Array(name.utf8).withUnsafeBytes { dlp_local_listen($0.baseAddress, $0.count, 10) }
        try #require(other >= 0)
        defer { close(other) }
        var file = RootContactFile(job: "1", in: directory.path)
        try file.write(
            RootContact(key: JobKey(), host: HostIdentity.current, socketName: name, port: 0, addresses: []))
        let worker = try Self.worker(1, in: directory)
        // The worker has connected to it.
        var watched = pollfd(fd: other, events: Int16(POLLIN), revents: 0)
        try #require(poll(&watched, 1, 60_000) == 1)
        close(accept(other, nil, nil))
        let root = try AMERoot(environment: try Self.meet(rank: 0, in: directory), connectTimeout: generous)
        #expect(try message(from: root).rank == 1)
        try worker.join().get()
    }

    @Test(
        "a file that leads to another job, or to no host that can be reached, misleads nobody",
        arguments: [true, false])
    func staleElsewhere(isAnotherJob: Bool) throws {
        let directory = try TemporaryDirectory()
        let another = try TestJob(size: 2)
        guard case .local(let name) = another.endpoint else { throw CommunicationError("not local") }
        let anotherRoot = try another.root { try message(from: $0).rank }
        var file = RootContactFile(job: "1", in: directory.path)
        try file.write(
            RootContact(
                key: JobKey(), host: isAnotherJob ? HostIdentity.current : "gone.1", socketName: name, port: 0,
                addresses: []))
        let worker = try Self.worker(1, in: directory)
        let root = try AMERoot(environment: try Self.meet(rank: 0, in: directory), connectTimeout: generous)
        #expect(try message(from: root).rank == 1)
        try worker.join().get()
        try another.worker(1) { try $0.send(Message(.goodbye), to: 0) }.join().get()
        #expect(try anotherRoot.join().get() == 1)
    }

    @Test("a worker that never sees the file says which it waited for, and the remedies")
    func absent() throws {
        let directory = try TemporaryDirectory()
        let error = #expect(throws: CommunicationError.self) {
            try Self.meet(rank: 1, in: directory, within: second / 10)
        }
        let text = error?.description ?? ""
        #expect(text.hasPrefix("rank 1 waited 0.1 s for rank 0's file \(directory.path)/job-1, but there is none"))
        #expect(text.contains("DLP_RENDEZVOUS_DIR") && text.contains("srun --mpi=pmi2"))
    }

    @Test(
        "a file that others may read or write does not count",
        arguments: [0o644, 0o660, 0o606, 0o4600, 0o400] as [mode_t])
    func modes(mode: mode_t) throws {
        let directory = try TemporaryDirectory()
        try directory.write("job-1", RootContactTests.contact().text, mode: mode)
        let error = #expect(throws: RootContactFile.Unreadable.self) {
            try RootContactFile(job: "1", in: directory.path).read()
        }
        #expect(error?.reason == "its mode is not 0600")
    }

    @Test("what is no regular file of this user does not count")
    func kinds() throws {
        let directory = try TemporaryDirectory()
        let file = RootContactFile(job: "1", in: directory.path)
        let reason = { () -> String in
            do throws(RootContactFile.Unreadable) {
                _ = try file.read()
                return ""
            } catch {
                return error.reason
            }
        }
        #expect(reason() == "there is none")
        try directory.write("target", RootContactTests.contact().text, mode: 0o600)
        try #require(symlink("target", file.path) == 0)
        #expect(reason() == "it is a symbolic link")
        unlink(file.path)
        try #require(mkfifo(file.path, 0o600) == 0)
        #expect(reason() == "it is not a regular file")
        unlink(file.path)
        try #require(link("\(directory.path)/target", file.path) == 0)
        #expect(reason() == "")
        if geteuid() == 0 {
            try #require(chown(file.path, 65534, 65534) == 0)
            #expect(reason() == "it is another user's")
        }
    }

    @Test("what is in a file is not trusted", arguments: ["dlp1", String(repeating: "x", count: 100_000), "\u{0}"])
    func contents(text: String) throws {
        let directory = try TemporaryDirectory()
        try directory.write("job-1", text, mode: 0o600)
        let error = #expect(throws: RootContactFile.Unreadable.self) {
            try RootContactFile(job: "1", in: directory.path).read()
        }
        #expect(error?.reason == "what it says makes no sense")
    }

    @Test("rank 0 replaces whatever is there, and makes the directory for itself alone")
    func writing() throws {
        let directory = try TemporaryDirectory()
        try directory.write("target", "untouched", mode: 0o600)
        let own = "\(directory.path)/own"
        defer { rmdir(own) }
        for folder in [directory.path, own] {
            var file = RootContactFile(job: "1", in: folder)
            if folder != own { try #require(symlink("target", file.path) == 0) }
            let contact = RootContactTests.contact()
            try file.write(contact)
            #expect(try file.read().text == contact.text)
            file.remove()
        }
        var status = stat()
        #expect(stat(own, &status) == 0 && status.st_mode & 0o077 == 0)
        #expect(directory.names.sorted() == ["own", "target"])
    }

    @Test("where rank 0 cannot write, the error names the file and the remedy")
    func unwritable() throws {
        var file = RootContactFile(job: "1", in: "/proc/none")
        let error = #expect(throws: CommunicationError.self) { try file.write(RootContactTests.contact()) }
        #expect(error?.description.contains("/proc/none") == true)
        #expect(error?.description.contains("DLP_RENDEZVOUS_DIR") == true)
    }

    @Test("where rank 0 fails at its start the others read why, and nothing stays")
    func failedRoot() throws {
        let directory = try TemporaryDirectory()
        let worker = try TestThread {
            Result { try Self.meet(rank: 1, in: directory) }.complaint
        }
        var place: any MeetingPlace = try FileMeeting(
            rank: 0, size: 2, isOneHost: true, file: RootContactFile(job: "1", in: directory.path),
            within: TimeLimit(generous)
        )
        let error = #expect(throws: CommunicationError.self) {
            try Rendezvous.meet(at: &place, address: .interface("nosuch"))
        }
        #expect(try worker.join() == "rank 0 cannot be reached: \(try #require(error?.description))")
        #expect(directory.names.isEmpty)
    }

    @Test("an empty file says that there was no room for more")
    func fullDisk() throws {
        let directory = try TemporaryDirectory()
        try directory.write("job-1", "", mode: 0o600)
        let error = #expect(throws: CommunicationError.self) { try Self.meet(rank: 1, in: directory) }
        #expect(error?.description.contains("there is no room for \(directory.path)/job-1") == true)
    }

    @Test("where no file can be, every rank says so at once")
    func noDirectory() throws {
        for rank in 0..<3 {
            var place: any MeetingPlace = try FileMeeting(
                rank: rank, size: 3, isOneHost: true, file: RootContactFile(job: "1", in: "/proc/none"),
                within: TimeLimit(generous))
            let error = #expect(throws: CommunicationError.self) { try Rendezvous.meet(at: &place, address: .any) }
            #expect(
                error?.description.hasPrefix("rank \(rank) cannot create the directory /proc/none, by which ranks")
                    == true)
        }
    }

    @Test("a job's name cannot lead out of the directory", arguments: ["../../etc/passwd", "a b\n/", "ä.1", ""])
    func names(job: String) {
        let path = RootContactFile(job: job, in: "/d").path
        #expect(path.hasPrefix("/d/job-"))
        #expect(path.dropFirst(3).allSatisfy { $0.isASCII && $0 != "/" && !$0.isWhitespace })
    }

    @Test("the directory is the one that is named, or in the home directory")
    func directories() {
        let read = { (variables: [String: String]) in RootContactFile.directory { variables[$0] } }
        #expect(read(["DLP_RENDEZVOUS_DIR": "/d", "HOME": "/h"]) == "/d")
        #expect(read(["DLP_RENDEZVOUS_DIR": "", "HOME": "/h"]) == "/h/.dlp-lua")
        #expect(read(["HOME": ""]) == nil && read([:]) == nil)
    }
}
