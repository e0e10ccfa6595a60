import CSystem
import Glibc

/// The signals that are sent to a launcher, or to another program that uses the terminal, including the ends of its
/// child processes.
///
/// They wait until they are taken.
///
/// Signals that were ignored from the start, as under `nohup`, remain ignored.
package final class SignalQueue {
    /// The descriptor is readable when a signal has come.
    package let descriptor: Int32
    /// The signal mask from before, with which ranks are started.
    let previousMask: sigset_t

    /// - Throws: `LaunchError` where the system has no more descriptors.
    package init() throws(LaunchError) {
        var mask = sigset_t()
        descriptor = dlp_launcher_signals(&mask)
        previousMask = mask
        if descriptor < 0 { throw LaunchError(system: "cannot wait for signals") }
    }

    deinit { close(descriptor) }

    /// Takes the next signal, and says whether the kernel sent it, as it does for keys on a terminal; nil where none
    /// waits.
    package func next() -> (number: Int32, isFromKernel: Bool)? {
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard read(descriptor, &information, size) == size else { return nil }
        return (Int32(bitPattern: information.ssi_signo), information.ssi_code == SI_KERNEL)
    }
}
