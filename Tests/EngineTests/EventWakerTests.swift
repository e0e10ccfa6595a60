import CSystem
import Glibc
import Testing

@testable import Engine

@Suite("Waiting for an event")
struct EventWakerTests {
    @Test("signals meanwhile neither shorten a wait nor hide a wake")
    func signals() async {
        await #expect(processExitsWith: .success) {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { _ in }
            sigaction(SIGALRM, &action, nil)
            // The pool's threads, of which this is one, block signals.
            var alarm = sigset_t()
            sigaddset(&alarm, SIGALRM)
            pthread_sigmask(SIG_UNBLOCK, &alarm, nil)
            let waiting = pthread_self()
            try ServiceThread.detach {
                while true {
                    usleep(10_000)
                    pthread_kill(waiting, SIGALRM)
                }
            }
            let waker = try EventWaker()
            let begin = dlp_now()
            let isWokenByNobody = waker.wait(nanoseconds: 200_000_000)
            let waited = dlp_now() - begin
            waker.wake()
            exit(!isWokenByNobody && waited >= 200_000_000 && waker.wait(nanoseconds: .max) ? 0 : 1)
        }
    }
}
