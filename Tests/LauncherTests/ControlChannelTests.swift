import AME
import Glibc
import Testing

@testable import Launcher

@Suite("What rank 0 and its launcher say to each other")
struct ControlChannelTests {
    @Test("what rank 0 has said counts although it has gone without reading all that it was sent")
    func unread() throws {
        let channel = try ControlChannel()
        channel.send(.exited(rank: 1, status: 0))
        let word = Array(ControlMessage.over.text.utf8)
        try #require(send(channel.peerDescriptor, word, word.count, 0) == word.count)
        channel.closePeer()
        let (messages, isOpen) = channel.receive()
        #expect(messages.count == 1 && !isOpen)
        if case .over? = messages.first { return }
        Issue.record("\(messages)")
    }
}
