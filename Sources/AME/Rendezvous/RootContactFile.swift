import DLP
import Glibc

/// The file by which ranks meet where their launcher offers nothing, in a directory that all hosts see.
///
/// The file holds the job's key, so only a regular file of this user with mode 0600 is accepted, even if others may
/// write to the directory. An earlier job may have left a file behind. A worker tells it from a new one by trying the
/// contact in it: if that leads nowhere it reads the file again, and rank 0 replaces it.
struct RootContactFile: Sendable {
    /// Why no contact can be read, as a clause.
    struct Unreadable: Error {
        var reason: String
    }

    let path: String

    private let directory: String
    private let name: String
    /// The device and inode number of the file that this rank wrote.
    private var own: (device: dev_t, number: ino_t)?

    /// The file of the job that `job` identifies.
    init(job: String, in directory: String) {
        let safe = job.utf8.map { byte -> Character in
            let character = Character(UnicodeScalar(byte))
            return character.isASCII && (character.isLetter || character.isNumber || ".-_".contains(character))
                ? character : "_"
        }
        self.directory = directory
        name = "job-" + String(safe.suffix(200))
        path = "\(directory)/\(name)"
    }

    /// Where such files are: `DLP_RENDEZVOUS_DIR`, else `.dlp-lua` in the home directory; nil where neither is known.
    ///
    /// - Parameter value: looks a variable up, by default in the environment of this process.
    static func directory(reading value: (String) -> String? = AMEEnvironment.environmentVariable) -> String? {
        if let named = value(AMEVariable.meetingDirectory), !named.isEmpty { return named }
        guard let home = value("HOME"), !home.isEmpty else { return nil }
        return home + "/.dlp-lua"
    }

    /// Writes the contact, in place of what was there; readers see all of it or nothing.
    ///
    /// - Throws: `CommunicationError` where the system refuses.
    mutating func write(_ contact: RootContact) throws(CommunicationError) {
        try makeDirectory(for: 0)
        let draft = "\(directory)/.\(name).\(UInt64.random(in: .min ... .max))"
        EndingCleaner.remove(atEnd: path, draft: draft)
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            let failure = failure("write", path)
            EndingCleaner.forget()
            throw failure
        }
        let text = Array(contact.text.utf8)
        var status = stat()
        // A umask may have removed too many permissions. On NFS an error of writing may show only when the file is
        // closed.
        var isWritten =
            fchmod(file, 0o600) == 0 && Glibc.write(file, text, text.count) == text.count
            && fsync(file) == 0 && fstat(file, &status) == 0
        var code = isWritten ? 0 : errno
        if close(file) != 0, isWritten { (isWritten, code) = (false, errno) }
        if isWritten, rename(draft, path) == 0 {
            own = (status.st_dev, status.st_ino)
            return
        }
        if isWritten { code = errno }
        // Where the disk is full there may still be room for an empty file, which tells the other ranks so.
        if code == ENOSPC || code == EDQUOT, truncate(draft, 0) == 0, stat(draft, &status) == 0,
            rename(draft, path) == 0
        {
            own = (status.st_dev, status.st_ino)
        } else {
            unlink(draft)
            EndingCleaner.forget()
        }
        errno = code
        throw failure("write", path)
    }

    /// Reads the contact that is there now.
    func read() throws(Unreadable) -> RootContact {
        guard isListed else { throw Unreadable(reason: "there is none") }
        let file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else {
            throw Unreadable(reason: errno == ELOOP ? "it is a symbolic link" : systemMessage(errno))
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Unreadable(reason: "it is not a regular file")
        }
        guard status.st_uid == geteuid() else { throw Unreadable(reason: "it is another user's") }
        guard status.st_mode & 0o7777 == 0o600 else { throw Unreadable(reason: "its mode is not 0600") }
        var bytes = [UInt8](repeating: 0, count: RootContact.longest + 1)
        let count = Glibc.read(file, &bytes, bytes.count)
        // Rank 0 leaves an empty file only where there is no room for a contact.
        if count == 0 {
            return RootContact(failure: "there is no room for \(path): set \(AMEVariable.meetingDirectory)")
        }
        guard count >= 0, let contact = RootContact(text: String(decoding: bytes.prefix(count), as: UTF8.self)) else {
            throw Unreadable(reason: "what it says makes no sense")
        }
        return contact
    }

    /// Whether this rank has written it.
    var isOurs: Bool { own != nil }

    /// Removes the file that this rank wrote; if another has taken its place by now, that one stays.
    func remove() {
        defer { if own != nil { EndingCleaner.forget() } }
        var status = stat()
        guard let own, lstat(path, &status) == 0, status.st_dev == own.device, status.st_ino == own.number else {
            return
        }
        unlink(path)
    }

    /// Whether the directory lists the file.
    ///
    /// NFS remembers for a while that a name was not there; listing the directory makes it look again.
    private var isListed: Bool {
        guard let listing = opendir(directory) else { return false }
        defer { closedir(listing) }
        while let entry = readdir(listing) {
            let isIt = withUnsafeBytes(of: &entry.pointee.d_name) { $0.prefix { $0 != 0 }.elementsEqual(name.utf8) }
            if isIt { return true }
        }
        return false
    }

    /// Makes the directory where there is none, which any rank may.
    ///
    /// - Throws: `CommunicationError` where that cannot be: then rank 0 fails, too.
    func makeDirectory(for rank: Int) throws(CommunicationError) {
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw failure("create the directory", directory, rank: rank)
        }
    }

    /// Checks whether a file can be written to the directory.
    ///
    /// - Throws: `CommunicationError` where this rank could not write, so that rank 0 hardly can either.
    func checkDirectory(for rank: Int) throws(CommunicationError) {
        guard access(directory, W_OK | X_OK) == 0 else {
            throw failure("write to the directory", directory, rank: rank)
        }
    }

    private func failure(_ action: String, _ path: String, rank: Int = 0) -> CommunicationError {
        CommunicationError(
            "rank \(rank) cannot \(action) \(path), by which ranks find each other: \(systemMessage(errno)); set "
                + "\(AMEVariable.meetingDirectory) to a directory that all hosts share, or start with 'srun --mpi=pmi2'"
        )
    }
}
