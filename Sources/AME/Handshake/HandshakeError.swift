import DLP

/// Why a handshake of two processes failed.
enum HandshakeError: Error, Equatable {
    /// The peer does not speak this protocol, or not in the role that it should have.
    case notARank
    /// The peer speaks another version of it.
    case version(UInt16)
    /// The peer's code is not made with this job's key.
    case key
    /// Rank 0 refuses this rank.
    case refused(Verdict.Refusal)

    /// What is wrong with a peer that is not the root, as a clause.
    var clause: String {
        switch self {
        case .notARank: "it is not rank 0 of a dlp-lua job"
        case .version(let version): "it speaks version \(version) of the protocol, not \(FrameHeader.version)"
        case .key: "it has another key"
        case .refused(.encryptionDiffers(let rootEncrypts)):
            rootEncrypts ? "it encrypts, and this rank does not" : "it does not encrypt, and this rank does"
        case .refused: "it refuses this rank"
        }
    }

    /// One sentence for the user of a worker that comes late.
    func descriptionForLate(endpoint: AMEEnvironment.Endpoint) -> String {
        switch self {
        case .notARank: "what answers at \(endpoint) is not a job that can be joined: see what its root printed"
        case .version(let version):
            "the job speaks version \(version) of the protocol, this program version \(FrameHeader.version): "
                + "join it with the dlp-lua that it was started with"
        case .key: "the job has another key: give both the same \(AMEVariable.joinKey)"
        case .refused: "the job at \(endpoint) does not take this worker"
        }
    }

    /// One sentence for the user of a worker.
    func description(rank: Int, size: Int, endpoint: AMEEnvironment.Endpoint) -> String {
        switch self {
        case .notARank:
            "what answers at \(endpoint) is not rank 0 of a dlp-lua job: give the job another address"
        case .version(let version):
            "rank 0 speaks version \(version) of the protocol, this program version \(FrameHeader.version): "
                + "start the same dlp-lua on every rank"
        case .key:
            "rank 0 has another key: give all ranks of the job the same \(AMEVariable.key)"
        case .refused(.sizeDiffers(let rootSize)):
            "rank 0 was started as one of \(rootSize) ranks, rank \(rank) as one of \(size): "
                + "give all ranks of the job the same \(AMEVariable.size)"
        case .refused(.rankOutOfRange):
            "rank 0 has no place for a rank \(rank) in a job of \(size): give every rank its own \(AMEVariable.rank)"
        case .refused(.rankTaken):
            "rank 0 is connected with another rank \(rank) already: give every rank its own \(AMEVariable.rank)"
        case .refused(.encryptionDiffers(let rootEncrypts)):
            "\(rootEncrypts ? "rank 0" : "rank \(rank)") encrypts what the two say to each other, "
                + "\(rootEncrypts ? "rank \(rank)" : "rank 0") does not: start all ranks of the job with the same --encrypt"
        case .refused(.notAwaited): "rank 0 does without rank \(rank)"
        case .refused(.keyDiffers):
            Self.key.description(rank: rank, size: size, endpoint: endpoint)
        }
    }
}
